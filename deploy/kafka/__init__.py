"""A real Apache Kafka on this machine, from pip alone: no Docker, no Maven, no Java on the path.

`jars` fetches the broker once a user, `java` finds what runs it, `node` starts and stops one KRaft node, `topics`
provisions the topic table on that node or on one's own cluster, and `commands` shows all of it to people.
"""
