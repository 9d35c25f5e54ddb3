"""Where Kafka's default partitioner puts a key: murmur2, as the Java client has it."""

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def partition_for(key: str, partitions: int) -> int:
    """The partition, from 0 up to `partitions`, that Kafka's default partitioner gives this key.

    Clients built on librdkafka default to another hash: what they write may lie elsewhere.
    """
    return (_murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    length = len(data)
    tail = length & 3
    h = _SEED ^ length
    for i in range(0, length - tail, 4):
        k = int.from_bytes(data[i : i + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = (h * _M & _MASK) ^ k
    if tail:
        h = (h ^ int.from_bytes(data[length - tail :], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15
