"""Kills a real engine with -9 at random moments, and compares the mails that a real mail server took with those owed.

The one idea: three parties that know nothing of each other. Clients send events over HTTP and note what was acknowledged.
A mail server (aiosmtpd) on loopback notes every mail that it accepted, and refuses, defers and cuts by a seed. The engine
between them is killed again and again. In the end the notes of the two outer parties must agree, and the engine's file
must say the same:

- every acknowledged event is in the journal once, and no event twice;
- no message was accepted twice (by its Message-ID, which follows from the send key, and by its person and step);
- every message that is owed was sent, or was refused by the server, or is shown by `flowloom held`;
- nothing was sent that is not owed;
- the database is whole (`integrity_check`).

Owed: a person who did "Started Checkout" gets two mails, two hours apart. Time runs so fast that this is seconds.
"""

import argparse
import asyncio
import gzip
import http.client
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from email import message_from_bytes
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

WORKSPACE = """(version: 1, name: "Killed", zone: "UTC", caps: [],
    senders: [(id: "shop", name: "Shop", email: "hello@shop.example")],
    brand: (name: "Shop", address: "1 Harbour Lane, Hamburg", website: "https://shop.example"),
)
"""
BODY = 'html("<p>Hello</p><p><a href=\\"{{ unsubscribe_url }}\\">Unsubscribe</a>, 1 Harbour Lane, Hamburg</p>")'
FLOW = f"""(version: 2, id: "killed", name: "Killed", settings: (reentry: once), nodes: [
    (id: "start", kind: "trigger", settings: (any: [event(event: "Started Checkout")])),
    (id: "one", kind: "email", settings: (message: "one", sender: "shop")),
    (id: "wait", kind: "delay", settings: (wait: for("2 h"))),
    (id: "two", kind: "email", settings: (message: "two", sender: "shop")),
], edges: [(from: "start", to: "one"), (from: "one", to: "wait"), (from: "wait", to: "two")],
messages: [(id: "one", subject: "one", body: {BODY}), (id: "two", subject: "two", body: {BODY})])
"""
STEPS = ("one", "two")


class Post:
    """What the mail server does, and what it has accepted. One per run; lives through all kills."""

    def __init__(self, seed, is_moody):
        self.random = random.Random(f"{seed} post")
        self.is_moody = is_moody
        self.lock = threading.Lock()
        self.accepted = []  # (Message-ID, recipient, subject), in order
        self.said = Counter()

    def mood(self):
        if not self.is_moody:
            return "accepts"
        with self.lock:
            dice = self.random.random()
        for share, mood in ((0.03, "defers"), (0.02, "refuses"), (0.02, "cuts before"), (0.015, "cuts after")):
            if dice < share:
                return mood
            dice -= share
        return "accepts"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            with self.lock:
                self.said["no such mailbox"] += 1
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mood = self.mood()
        # A server thinks a little; the engine may be killed meanwhile.
        await asyncio.sleep(0.002)
        with self.lock:
            self.said[mood] += 1
            if mood in ("accepts", "cuts after"):
                mail = message_from_bytes(envelope.content)
                self.accepted.append((mail["Message-ID"], envelope.rcpt_tos[0], mail["Subject"]))
        if mood == "defers":
            return "451 4.3.0 try again later"
        if mood == "refuses":
            return "554 5.6.0 not wanted"
        if mood.startswith("cuts"):
            server.transport.abort()
            return "421 gone"
        return "250 OK"


class Door(Controller):
    """The server on loopback, on any free port."""

    def factory(self):
        return SMTP(self.handler, hostname="post.example", enable_SMTPUTF8=True, timeout=30)


class Client(threading.Thread):
    """Sends events, one by one and in batches, some twice; sends again what was not acknowledged, as clients do."""

    def __init__(self, number, seed, world):
        super().__init__(name=f"client {number}", daemon=True)
        self.number, self.world = number, world
        self.random = random.Random(f"{seed} client {number}")
        self.acknowledged = set()
        self.given_up = set()
        self.duplicates = 0
        self.count = 0
        self.faults = []

    def event(self):
        self.count += 1
        kind = "nobody" if self.random.random() < 0.02 else "person"
        contact = f"{kind}-{self.number}-{self.count}"
        wanted = self.random.random() < 0.5
        return {
            "id": f"event-{self.number}-{self.count}", "contact": contact,
            "name": "Started Checkout" if wanted else "Viewed Product",
            "properties": {"product": "Chronograph", "n": self.count},
            "profile": {"email": f"{contact}@shop.example", "consent": {"email": "subscribed"}},
        }

    def run(self):
        try:
            while not self.world.is_over.is_set():
                self.turn()
        except Exception as error:  # shown in the report: a client that dies silently proves nothing
            self.faults.append(repr(error))

    def turn(self):
        size = self.random.choice([1, 1, 1, 5, 20])
        events = [self.event() for _ in range(size)]
        sent_again = 0
        while True:
            answer = self.post(events)
            if answer is not None:
                break
            if self.random.random() < 0.02 or self.world.is_over.is_set():
                # Gives up: these may be in or not.
                self.given_up.update(event["id"] for event in events)
                return
            sent_again += 1
            time.sleep(0.05)
        for event, item in zip(events, answer["items"]):
            if item["status"] not in ("accepted", "duplicate"):
                self.faults.append(f"{event['id']}: {item}")
                continue
            self.duplicates += item["status"] == "duplicate"
            self.acknowledged.add(event["id"])
            self.world.happened(event)
        if self.random.random() < 0.1:
            again = self.post(events)
            for item in again["items"] if again else []:
                if item["status"] != "duplicate":
                    self.faults.append(f"taken twice: {item}")
        time.sleep(self.random.random() * self.world.pause)

    def post(self, events):
        """The answer, or None where it is not known whether they were taken."""
        connection = http.client.HTTPConnection("127.0.0.1", self.world.port, timeout=40)
        try:
            if len(events) == 1:
                body, kind = json.dumps(events[0]), "application/json"
            else:
                body, kind = "\n".join(map(json.dumps, events)), "application/x-ndjson"
            connection.request("POST", "/v1/events", body, {"content-type": kind})
            response = connection.getresponse()
            text = response.read()
            if response.status in (429, 503):
                return None
            if response.status != 202:
                self.faults.append(f"{response.status}: {text[:300]}")
                return {"items": []}
            return json.loads(text)
        except (OSError, http.client.HTTPException, json.JSONDecodeError):
            return None
        finally:
            connection.close()


class World:
    """The engine, its folder, and those who kill it."""

    def __init__(self, args, mail_port):
        self.args = args
        self.work = Path(args.work)
        self.data = self.work / "data"
        self.home = self.work / "home"
        self.home.mkdir(parents=True)
        (self.home / "flowloom.ron").write_text(WORKSPACE)
        (self.home / "killed.flow.ron").write_text(FLOW)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.mail_port = mail_port
        self.pause = args.pause
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        self.owed_to = set()
        self.log = open(self.work / "engine.log", "ab")
        self.starts = 0

    def happened(self, event):
        if event["name"] == "Started Checkout":
            with self.lock:
                self.owed_to.add(event["contact"])

    def start(self):
        self.starts += 1
        return subprocess.Popen(
            [self.args.program, "run", str(self.home / "killed.flow.ron"), "--data", str(self.data),
             "--listen", f"127.0.0.1:{self.port}", "--mail", f"smtp://127.0.0.1:{self.mail_port}",
             "--time-scale", str(self.args.time_scale), "--senders", "8", "--mails-per-minute", "0",
             "--mails-per-domain", "0"],
            stdout=self.log, stderr=self.log, env={**os.environ, "FLOWLOOM_LOG": "warn"},
        )

    def ask(self, *args):
        done = subprocess.run([self.args.program, *args, "--data", str(self.data)], capture_output=True, text=True,
                              timeout=300)
        if done.returncode != 0:
            raise SystemExit(f"flowloom {' '.join(args)} ends with {done.returncode}: {done.stderr}")
        return done.stdout

    def wait_until_it_answers(self, engine, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if engine.poll() is not None:
                return False
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/ready")
                if connection.getresponse().status == 200:
                    return True
            except OSError:
                pass
            time.sleep(0.02)
        return False

    def kill_again_and_again(self):
        dice = random.Random(f"{self.args.seed} kills")
        for kill in range(self.args.kills):
            engine = self.start()
            # Some die while they start and recover, most at work; how long a start takes, this machine says.
            if dice.random() < 0.15:
                time.sleep(dice.random() * self.args.start)
            else:
                if not self.wait_until_it_answers(engine, 120):
                    raise SystemExit(f"kill {kill}: the engine does not start (exit {engine.poll()}); see {self.log.name}")
                time.sleep(dice.random() ** 2 * self.args.life)
            if engine.poll() is not None:
                raise SystemExit(f"kill {kill}: the engine ended by itself, with {engine.returncode}; see {self.log.name}")
            engine.send_signal(signal.SIGKILL)
            engine.wait()
            if self.args.verbose:
                print(f"kill {kill + 1}", flush=True)

    def last_life(self):
        """Runs it until nothing is left to do, and stops it as its owner would."""
        engine = self.start()
        if not self.wait_until_it_answers(engine, 120):
            raise SystemExit(f"the engine does not start after the kills (exit {engine.poll()})")
        until = time.monotonic() + self.args.patience
        while True:
            status = json.loads(self.ask("status", "--format", "json"))
            under_way = sum(status["outbox"].get(name, 0) for name in ("due", "claimed", "handing_over"))
            if under_way == 0 and status["waiting"] == 0:
                break
            if time.monotonic() > until:
                raise SystemExit(f"after {self.args.patience} s there is still something to do: {status}")
            time.sleep(0.3)
        engine.send_signal(signal.SIGTERM)
        if engine.wait(timeout=60) != 0:
            raise SystemExit(f"told to stop, it ends with {engine.returncode}")
        return status


def judge(world, clients, post):
    """Compares the notes; a list of what is wrong, and the tally."""
    wrong = [f"{client.name}: {fault}" for client in clients for fault in client.faults]
    base = sqlite3.connect(world.data / "flowloom.db")
    whole = base.execute("pragma integrity_check").fetchall()
    if whole != [("ok",)]:
        wrong.append(f"integrity_check: {whole[:3]}")

    journal = [json.loads(text) for (text,) in base.execute("select input from journal where kind = 0")]
    own = [event for event in journal if event["id"].startswith("event-")]
    times = Counter(event["id"] for event in own)
    twice = [id for id, n in times.items() if n > 1]
    acknowledged = set().union(*(client.acknowledged for client in clients))
    given_up = set().union(*(client.given_up for client in clients))
    wrong += [f"acknowledged and lost: {id}" for id in sorted(acknowledged - set(times))]
    wrong += [f"stored twice: {id}" for id in twice]
    wrong += [f"from nowhere: {id}" for id in sorted(set(times) - acknowledged - given_up)]

    # Owed by what the clients know, and by events that they gave up on but that came in.
    owed_to = world.owed_to | {event["contact"] for event in own if event["name"] == "Started Checkout"}
    rows = {}
    for key, contact, node, standing, reason, mail in base.execute(
        "select key, c.id, node, standing, o.reason, bytes from outbox o join contact c on c.n = o.contact "
        "left join mail m on m.outbox = o.n"
    ):
        if (contact, node) in rows:
            wrong.append(f"two sends for {contact} at {node}")
        mail_id = message_from_bytes(gzip.decompress(mail))["Message-ID"] if mail else None
        rows[contact, node] = (key, standing, reason, mail_id)

    by_id = Counter(mail_id for mail_id, _, _ in post.accepted)
    by_person = Counter((to.split("@")[0], subject) for _, to, subject in post.accepted)
    wrong += [f"accepted {n} times: {mail_id}" for mail_id, n in by_id.items() if n > 1]
    wrong += [f"{person} got {step} {n} times" for (person, step), n in by_person.items() if n > 1]
    wrong += [f"not owed: {step} to {person}" for person, step in by_person if person not in owed_to]

    held = json.loads(world.ask("held", "--limit", "100000", "--format", "json"))["rows"]
    shown = {row["key"] for row in held}
    tally = Counter()
    for person in sorted(owed_to):
        for step in STEPS:
            row = rows.get((person, step))
            is_there = (person, step) in by_person
            if row is None:
                # A bad address is suppressed: the second mail is never made for it.
                if not (person.startswith("nobody") and step == "two"):
                    wrong.append(f"owed and forgotten: {step} to {person}")
                tally["none (bad address)"] += 1
                continue
            key, standing, reason, mail_id = row
            tally[standing] += 1
            if standing == "sent" and not is_there:
                wrong.append(f"said to be sent, and never came: {key}")
            if is_there and standing not in ("sent", "unknown"):
                wrong.append(f"came, and is said to be {standing}: {key}")
            if is_there and mail_id not in by_id:
                wrong.append(f"{key} came with another Message-ID than {mail_id}")
            if standing in ("unknown", "held") and key not in shown:
                wrong.append(f"{standing}, and not shown by held: {key}")
            if standing == "unknown":
                tally["unknown, had come" if is_there else "unknown, had not come"] += 1
            if standing not in ("sent", "unknown", "held", "refused", "skipped"):
                wrong.append(f"still {standing}: {key}")
            if standing == "skipped" and not person.startswith("nobody"):
                wrong.append(f"skipped although owed ({reason}): {key}")
    wrong += [f"made and not owed: {key}" for (person, _), (key, *_) in rows.items() if person not in owed_to]
    report = {
        "acknowledged": len(acknowledged), "given up": len(given_up), "stored": len(own),
        "duplicates answered": sum(client.duplicates for client in clients),
        "people owed to": len(owed_to), "messages owed": len(STEPS) * len(owed_to),
        "mails accepted": len(post.accepted), "different ones": len(by_id), "held or unknown, shown": len(shown),
    }
    return wrong, report, tally


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="the flowloom to kill")
    parser.add_argument("--work", required=True, help="a folder that is not there yet")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--time-scale", type=float, default=1800)
    parser.add_argument("--life", type=float, default=3.0, help="longest life in seconds")
    parser.add_argument("--start", type=float, default=1.0, help="about how long a start takes, in seconds")
    parser.add_argument("--pause", type=float, default=0.4, help="longest pause of a client in seconds")
    parser.add_argument("--patience", type=float, default=600)
    parser.add_argument("--kind-server", action="store_true", help="the mail server never refuses")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()

    began = time.monotonic()
    post = Post(args.seed, not args.kind_server)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        mail_port = free.getsockname()[1]
    door = Door(post, hostname="127.0.0.1", port=mail_port)
    door.start()
    world = World(args, mail_port)
    clients = [Client(number, args.seed, world) for number in range(args.clients)]
    for client in clients:
        client.start()
    world.kill_again_and_again()
    world.is_over.set()
    for client in clients:
        client.join(timeout=60)
    world.last_life()
    wrong, report, tally = judge(world, clients, post)
    door.stop()

    print(f"kill9: seed {args.seed}, {args.kills} kills, {len(clients)} clients, {time.monotonic() - began:.0f} s")
    for name, number in report.items():
        print(f"  {name:<24}{number:>8}")
    print("  what became of what was owed: " + ", ".join(f"{n} {name}" for name, n in sorted(tally.items())))
    print("  what the mail server did: " + ", ".join(f"{n} {name}" for name, n in sorted(post.said.items())))
    # A run that owed nothing, or sent nothing, proves nothing.
    if not wrong and (tally["sent"] < 2 * args.kills or report["stored"] < 2 * args.kills):
        wrong.append("too little happened for a proof")
    for line in wrong[:50]:
        print(f"  WRONG {line}")
    print(f"kill9: {'nothing lost, nothing doubled' if not wrong else f'{len(wrong)} faults'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
