#!/usr/bin/env python3
"""All orders of a CRM through zaprun and through a loop written by hand, in turns.

Each program is pinned to one core, the mock CRM and sink with this script to another. Time runs from the start of the
process to the last delivery that the sink saw. Needs only Python's own library.
"""

import argparse
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

PROJECT = pathlib.Path(__file__).resolve().parent.parent / "crates/bench/project"
DAY = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=1)
TIMEOUT = 600
COLUMNS = ["orders/s", "CPU s per 1,000", "peak RSS MiB", "first s", "distinct", "twice", "strange", "mock's core"]


def pin(core):
    """What a process does at its start to stay on a core."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        return lambda: None
    return lambda: os.sched_setaffinity(0, {cores[core]})


def ask(url, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
        return json.load(answer)


def cpu_of(pid):
    """Seconds of processor time of a process that lives."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_of(pid):
    """The most memory a process has had, in MiB. wait4's figure would begin with this script's own."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def measured(command, env, log, mock, base):
    """Runs a program to its end and gives a row of the table."""
    ask(f"{base}/reset", "POST")
    peak, mock_before, start = 0.0, cpu_of(mock.pid), time.time()
    child = subprocess.Popen(command, env=env, stdout=log, stderr=log, preexec_fn=pin(0))
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            child.returncode = os.waitstatus_to_exitcode(status)
            break
        peak = max(peak, peak_of(child.pid))
        if time.time() - start > TIMEOUT:
            child.kill()
        time.sleep(0.005)
    seen = ask(f"{base}/stats")
    took = max(seen["last_us"] / 1e6 - start, 1e-6)
    cpu = usage.ru_utime + usage.ru_stime
    return {
        "exit": child.returncode,
        "orders/s": seen["distinct"] / took,
        "CPU s per 1,000": cpu * 1000 / max(seen["distinct"], 1),
        "peak RSS MiB": peak,
        "first s": seen["first_us"] / 1e6 - start,
        "distinct": seen["distinct"],
        "twice": seen["delivered"] - seen["distinct"],
        "strange": seen["strange"],
        "mock's core": (cpu_of(mock.pid) - mock_before) / took,
    }


def written_project(folder, zap):
    """The measured project in a folder of its own, without a state."""
    (folder / "zaps").mkdir(parents=True)
    shutil.copy(PROJECT / "zaprun.yaml", folder)
    text = (PROJECT / "zaps" / f"{zap}.yaml").read_text()
    assert "start: now" in text
    # Rows of one day in one slice of days, and nothing to look up.
    text = text.replace("start: now", f"start: {DAY - datetime.timedelta(days=1)}")
    (folder / "zaps" / f"{zap}.yaml").write_text(text)


def cell(name, value):
    if name == "mock's core":
        return f"{value:.0%}"
    digits = {"CPU s per 1,000": 3, "peak RSS MiB": 1, "first s": 3}.get(name, 0)
    return f"{value:,.{digits}f}"


def show(label, row):
    print(f"{label:<24}" + "".join(f"{cell(name, row[name]):>17}" for name in COLUMNS), flush=True)


def median(rows):
    return {name: statistics.median(row[name] for row in rows) for name in COLUMNS}


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--built", type=pathlib.Path, required=True, help="folder of the programs")
    options.add_argument("--orders", type=int, default=10_000)
    options.add_argument("--runs", type=int, default=3, help="counted runs of each program; one more warms up")
    options.add_argument("--zap", default="whole", choices=["whole", "plain"])
    options.add_argument("--keep", type=pathlib.Path, help="keep logs and states in this folder")
    args = options.parse_args()
    built = args.built.resolve()
    pin(1)()

    mock_command = [built / "bench-mock", "--orders", str(args.orders), "--day", str(DAY)]
    work = pathlib.Path(tempfile.mkdtemp(prefix="zaprun-bench-"))
    mock = subprocess.Popen(mock_command, stdout=subprocess.PIPE, text=True)
    try:
        base = mock.stdout.readline().strip()
        env = {name: value for name, value in os.environ.items() if not name.startswith("ZAPRUN_")}
        env |= {"BENCH_URL": base, "BENCH_LOGIN_ID": "bench-login", "BENCH_PASSWORD": "bench-password"}
        programs = {"loop by hand": [], "zaprun run --once": []}
        print(f"{'':<24}" + "".join(f"{name:>17}" for name in COLUMNS))
        for run in range(args.runs + 1):
            for name, rows in programs.items():
                folder = work / f"{run}-{name.split()[0]}"
                if name.startswith("zaprun"):
                    written_project(folder, args.zap)
                    command = [built / "zaprun", "-C", folder, "run", "--once"]
                else:
                    folder.mkdir()
                    command = [built / "bench-loop", "--base", base, "--day", DAY.strftime("%m/%d/%Y")]
                with open(folder / "log", "wb") as log:
                    row = measured(command, env, log, mock, base)
                if row["exit"] != 0 or row["distinct"] != args.orders:
                    tail = "\n".join((folder / "log").read_text(errors="replace").splitlines()[-15:])
                    ended = f"{name} ended with {row['exit']} after {row['distinct']} orders"
                    print(f"{ended}:\n{tail}", file=sys.stderr)
                    return 1
                show(name if run else f"({name}, warm-up)", row)
                if run:
                    rows.append(row)
        print()
        medians = {name: median(rows) for name, rows in programs.items()}
        for name, row in medians.items():
            show(f"{name}, median", row)
        by_hand, ours = medians.values()
        print(f"\nzaprun's rate is {ours['orders/s'] / by_hand['orders/s']:.2f} of the loop's")
        return 0
    finally:
        mock.kill()
        mock.wait()
        if args.keep:
            shutil.copytree(work, args.keep, dirs_exist_ok=True)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
