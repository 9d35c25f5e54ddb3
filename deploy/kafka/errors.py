"""The one error that the local Kafka raises for people to read."""


class LocalKafkaError(RuntimeError):
    """Kafka could not be fetched, started, reached or provisioned; the message says what to do about it."""
