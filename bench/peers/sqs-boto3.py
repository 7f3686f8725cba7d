"""`python3 sqs-boto3.py DUMP ENDPOINT`: the dump's queues and messages by boto3, send_message_batch with ten messages, in 16
threads; of a FIFO queue, a group in one thread at a time. No check; an entry that is refused ends it."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

THREADS = 16
dump, endpoint = sys.argv[1:]
client = boto3.client("sqs", endpoint_url=endpoint, config=Config(max_pool_connections=THREADS))


def entry_of(message, index):
    entry = {"Id": str(index), "MessageBody": message["body"]}
    if "message_attributes" in message:
        entry["MessageAttributes"] = message["message_attributes"]
    if "message_group_id" in message:
        entry["MessageGroupId"] = message["message_group_id"]
        entry["MessageDeduplicationId"] = message["message_deduplication_id"]
    return entry


def send(url, messages):
    for at in range(0, len(messages), 10):
        entries = [entry_of(message, index) for index, message in enumerate(messages[at : at + 10])]
        failed = client.send_message_batch(QueueUrl=url, Entries=entries).get("Failed", [])
        if failed:
            raise RuntimeError(f"{len(failed)} messages were refused: {failed[0].get('Message')}")


def pieces(lines, fifo):
    messages = [json.loads(line) for line in lines]
    if not fifo:
        return [messages[at : at + 10] for at in range(0, len(messages), 10)]
    groups = {}
    for message in messages:
        groups.setdefault(message["message_group_id"], []).append(message)
    return list(groups.values())


for name in os.listdir(os.path.join(dump, "sqs")):
    folder = os.path.join(dump, "sqs", name)
    with open(os.path.join(folder, "_queue.json"), encoding="utf-8") as file:
        fifo = json.load(file).get("fifo", False)
    # The endpoint's own host: a queue URL may name one that nobody reaches.
    client.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if fifo else {})
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    with open(os.path.join(folder, "messages.jsonl"), encoding="utf-8") as file:
        work = pieces(file, fifo)
    with ThreadPoolExecutor(THREADS) as threads:
        for _ in threads.map(lambda piece: send(url, piece), work):
            pass
