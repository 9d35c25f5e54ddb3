"""How Kafka is reached, and what is said where it cannot be."""

import socket
from pathlib import Path

import pytest
from pydantic import ValidationError

from streams.bus.connection import KafkaSettings, wait_for_kafka
from streams.bus.ports import BusUnavailable


def test_plain_by_default() -> None:
    settings = KafkaSettings.from_environment({"LIVECUE_KAFKA": "a:9092, [::1]:9093", "LIVECUE_KAFKA_CA_FILE": ""})
    expected = {"bootstrap_servers": ["a:9092", "[::1]:9093"], "security_protocol": "PLAINTEXT"}
    assert settings.for_aiokafka() == settings.for_kafka_python() == expected


def test_sasl_over_tls() -> None:
    settings = KafkaSettings.from_environment({
        "LIVECUE_KAFKA": "broker.example:9094",
        "LIVECUE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "LIVECUE_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "LIVECUE_KAFKA_SASL_USERNAME": "livecue",
        "LIVECUE_KAFKA_SASL_PASSWORD": "hunter2",
    })  # fmt: skip
    arguments = settings.for_aiokafka()
    assert arguments.pop("ssl_context").check_hostname
    assert arguments == {
        "bootstrap_servers": ["broker.example:9094"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "livecue",
        "sasl_plain_password": "hunter2",
    }
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"LIVECUE_KAFKA": ""}, "LIVECUE_KAFKA is not set"),
        ({"LIVECUE_KAFKA": "kafka"}, "servers"),
        ({"SECURITY_PROTOCOL": "TLS"}, "security_protocol"),
        ({"SECURITY_PROTOCOL": "SASL_SSL"}, "SASL_SSL needs LIVECUE_KAFKA_SASL_USERNAME and"),
        ({"SASL_PASSWORD": "hunter2"}, "LIVECUE_KAFKA_SASL_PASSWORD is set, but"),
        ({"CA_FILE": "/ca.pem"}, "LIVECUE_KAFKA_CA_FILE is set, but"),
        ({"SECURITY_PROTOCOL": "SSL", "CERT_FILE": __file__}, "come together or not at all"),
        ({"SECURITY_PROTOCOL": "SSL", "CA_FILE": "/nowhere/ca.pem"}, "there is no file /nowhere/ca.pem"),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(variables: dict[str, str], says: str) -> None:
    environ = {"LIVECUE_KAFKA": "a:9092"}
    environ |= {key if key == "LIVECUE_KAFKA" else f"LIVECUE_KAFKA_{key}": value for key, value in variables.items()}
    with pytest.raises(ValueError, match=says) as refused:
        KafkaSettings.from_environment(environ)
    assert "hunter2" not in str(refused.value)


def test_a_setting_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        KafkaSettings(servers=("a:9092",), ca=Path("x"))  # type: ignore[call-arg]


async def test_where_nothing_listens_the_error_names_the_address_and_the_ways_out() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{reserved.getsockname()[1]}"
        with pytest.raises(BusUnavailable) as error:
            await wait_for_kafka(KafkaSettings(servers=(address,)), timeout_s=0.3)
    for part in (address, "tried for 0 s", "livecue kafka start", "LIVECUE_KAFKA=host:port"):
        assert part in str(error.value)
