#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""analyse.py FOLDER SEED... - holds SEED.found (serviola log analyse --json) against SEED.json (the planted truth).

For each question: how much of what was planted was found (recall), how much of what was found was planted (precision).
"""
import collections
import json
import sys
from datetime import datetime

HARMLESS = {"first_seen"}  # ranked, not alarmed: looked at on its own


def when(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def near(finding, key, text, seconds):
    return key in finding and abs(when(finding[key]) - when(text)) <= seconds


def wanted(plant):
    """(question, host, test) of a planted fact; None when no question is about it."""
    kind, host = plant["kind"], plant["host"]
    if kind == "silence" and plant["scope"] == "host":
        return "silence", host, lambda f: near(f, "from", plant["from"], 900) and near(f, "to", plant["to"], 5)
    if kind == "silence":
        return "program_silence", host, lambda f: near(f, "from", plant["from"], 1800) and near(f, "to", plant["to"], 1800)
    if kind == "late_delivery":
        return "late", "", lambda f: near(f, "to", plant["delivered_from"], 300)
    if kind == "reboot":
        return ("reboot" if plant["clean"] else "reboot_unclean"), host, lambda f: near(f, "to", plant["to"], 120) or near(f, "from", plant["from"], 120)
    if kind == "stolen_account":
        return "stolen_account", host, lambda f: (
            plant["account"] in f["text"]
            and near(f, "from", plant["from"], 300)
            and abs(f["count"] - plant["messages"]) <= 0.02 * plant["messages"]
            and (f"of {plant['source_ips']} address" in f["text"] or plant["source_ips"] < 1)
        )
    if kind == "bruteforce":
        return "bruteforce_success", host, lambda f: f["count"] == plant["failures"] and plant["then_success"] in f["text"]
    if kind == "error_burst":
        return "burst", host, lambda f: abs(f["count"] - plant["count"]) <= 0.02 * plant["count"]
    if kind == "egress_worm":
        return "mail_egress", host, lambda f: plant["src"] in f["text"] and abs(f["count"] - plant["count"]) <= 0.02 * plant["count"]
    if kind == "clock_back":
        return "clock", host, lambda f: abs(f["count"] - 3600) <= 5
    if kind == "clock_skew":
        return "clock_skew", host, lambda f: abs(f["count"] - 420) <= 2
    if kind == "clock_epoch":
        return "clock_unset", host, lambda f: True
    if kind == "replay":
        return "replay", host, lambda f: near(f, "from", plant["resent_at"], 120)
    if kind == "source_loss":
        return "source_loss", host, lambda f: f["count"] == plant["suppressed"]
    if kind == "error_ramp":
        return "error_ramp", host, lambda f: True
    return None


# What the corpus holds besides its list of plants: faults are told as stories; the worm is a burst of one message, too.
ALSO = {("hardware", "vlnx1"), ("hardware", "db02"), ("hardware", "web03"), ("hung_task", "vlnx1")}
MAY = {("burst", "fw01")}


def hold(found, truth):
    """question -> [planted, found of them, findings, of them planted]"""
    score = collections.defaultdict(lambda: [0, 0, 0, 0])
    left = [f for f in found if f["finding"] not in HARMLESS]
    for f in left:
        score[f["finding"]][2] += 1
    for plant in truth["plants"]:
        want = wanted(plant)
        if not want:
            continue
        question, host, test = want
        score[question][0] += 1
        hit = next((f for f in left if f["finding"] == question and (not host or f["host"] == host) and test(f)), None)
        if hit:
            left.remove(hit)
            score[question][1] += 1
            score[question][3] += 1
        else:
            print("  missed:", question, host, plant["from"])
    for question, host in ALSO:
        score[question][0] += 1
        hit = next((f for f in left if f["finding"] == question and f["host"] == host), None)
        if hit:
            left.remove(hit)
            score[question][1] += 1
            score[question][3] += 1
        else:
            print("  missed:", question, host)
    for f in [f for f in left if (f["finding"], f["host"]) in MAY]:
        left.remove(f)
        score[f["finding"]][3] += 1
    for f in left:
        print("  beside:", f["finding"], f["host"], f["text"][:110])
    first = [p for p in truth["plants"] if p["kind"] == "first_seen"]
    texts = [f["text"] + f["host"] for f in found if f["finding"] in ("first_seen", "hardware", "hung_task")]
    words = {"k_cciss_check": "CHECK CONDITION", "k_nrcpus": "NR_CPUS", "k_hung": "blocked for more", "ap_maxclients": "MaxClients",
             "smartd_pending": "pending", "k_io_err": "I/O error", "k_remount_ro": "read-only", "k_mce": "Machine Check"}
    for p in first:
        score["first_seen"][0] += 1
        seen = any(words[p["template"]] in t and p["host"] in t for t in texts)
        score["first_seen"][1] += seen
        if not seen:
            print("  missed: first_seen", p["template"])
    news = [f for f in found if f["finding"] == "first_seen"]
    score["first_seen"][2] = len(news)
    score["first_seen"][3] = sum(any(w in f["text"] for w in list(words.values()) + ["failed command", "EXT3-fs error", "PHP Fatal", "connection cap"]) for f in news)
    return score


def main():
    folder, seeds = sys.argv[1], sys.argv[2:]
    total = collections.defaultdict(lambda: [0, 0, 0, 0])
    for seed in seeds:
        print("seed", seed)
        with open(f"{folder}/{seed}.found", encoding="utf8") as f:
            found = [json.loads(line) for line in f]
        with open(f"{folder}/{seed}.json", encoding="utf8") as f:
            truth = json.load(f)
        for question, counts in hold(found, truth).items():
            total[question] = [a + b for a, b in zip(total[question], counts)]
    print(f"{'question':20} {'planted':>8} {'recall':>7} {'found':>6} {'precision':>9}")
    perfect = True
    for question, (planted, hit, found, right) in sorted(total.items()):
        recall = hit / planted if planted else 1.0
        precision = right / found if found else 1.0
        perfect = perfect and recall == 1 and precision == 1
        print(f"{question:20} {planted:8} {recall:7.2f} {found:6} {precision:9.2f}")
    sys.exit(0 if perfect else 1)


main()
