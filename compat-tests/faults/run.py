#!/usr/bin/env python3
"""Plants one fault after the other and shows the test that catches it.

    compat-tests/faults/run.py [FILTER]

Each *.patch here is a fault, said in words in its head, with the suite that must catch it. The
tracked files are copied to a directory outside of the clone, the suites are run there without a
fault (they must pass), then each fault is planted, its suite run, and the fault taken out again.
A fault that does not apply, does not compile, or is not caught by the test its head names fails.
With a FILTER only the faults whose file name contains it are planted.

FAULTS_DIR says where to work (default: ~/.cache/bowshock/faults); the copy stays there with its
target directory, so that only what a fault touches is built again.
"""

import fcntl
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
CLONE = HERE.parent.parent
WORK = pathlib.Path(os.environ.get("FAULTS_DIR", pathlib.Path.home() / ".cache/bowshock/faults"))
TREE = WORK / "tree"
# A hang is not a catch; the slowest suite takes seconds, its build a minute or two.
SUITE_SECONDS = 1200

ENVIRONMENT = dict(
    os.environ,
    CARGO_TARGET_DIR=str(WORK / "target"),
    CARGO_TERM_COLOR="never",
    # Names of failed tests are all that is wanted; without debug information linking is quick.
    CARGO_PROFILE_DEV_DEBUG="0",
    # Inputs that a fault made fail say nothing about the unfaulted tree.
    PROPTEST_DISABLE_FAILURE_PERSISTENCE="1",
)


class Fault:
    """A patch and what its head says."""

    def __init__(self, path):
        self.path, self.name = path, path.stem
        self.text = path.read_text()
        head = [line[2:] for line in self.text.splitlines() if line.startswith("# ")]
        said = dict(line.split(": ", 1) for line in head if re.match(r"(Breaks|Suite|Caught by): ", line))
        self.suite, self.catcher = said.get("Suite"), said.get("Caught by")
        if not self.suite or not self.catcher or "Breaks" not in said:
            sys.exit(f"{path.name}: its head must say 'Breaks:', 'Suite:' and 'Caught by:'")
        self.files = re.findall(r"^--- a/(.+)$", self.text, re.MULTILINE)


def copy(name):
    """Makes one file of the copy equal to the clone's, touching it only if it differs."""
    source, target = CLONE / name, TREE / name
    data = source.read_bytes()
    if not target.exists() or target.read_bytes() != data:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def copy_all():
    listed = ["git", "ls-files", "-z"]
    names = subprocess.run(listed, cwd=CLONE, check=True, capture_output=True, text=True).stdout
    wanted = {name for name in names.split("\0") if name and (CLONE / name).is_file()}
    for name in wanted:
        copy(name)
    # A file that has gone must not go on being built.
    for path in TREE.rglob("*.rs"):
        if str(path.relative_to(TREE)) not in wanted:
            path.unlink()


def run(suite):
    """Runs a suite; returns whether it passed, the tests that failed, and its output."""
    try:
        done = subprocess.run(
            suite.split(),
            cwd=TREE,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SUITE_SECONDS,
        )
    except subprocess.TimeoutExpired as late:
        return False, [], (late.stdout or b"").decode(errors="replace") + "\nit did not end"
    output = done.stdout.decode(errors="replace")
    # The list at the end of the output: the line of a test itself may be torn by what it printed.
    failed = sorted(set(re.findall(r"^    ([a-z_0-9]+(?:::[a-z_0-9]+)*)$", output, re.MULTILINE)))
    passed = re.findall(r"^test result: ok\. (\d+) passed", output, re.MULTILINE)
    return done.returncode == 0 and any(int(count) for count in passed), failed, output


def plant(fault):
    """Applies the patch; the error's text if it does not apply."""
    applied = subprocess.run(
        ["git", "apply", "--whitespace=nowarn", str(fault.path)],
        cwd=TREE,
        env=dict(ENVIRONMENT, GIT_CEILING_DIRECTORIES=str(WORK)),
        capture_output=True,
        text=True,
    )
    return applied.stderr if applied.returncode else None


def check(fault):
    """Plants a fault and runs its suite; (whether it is caught, what to say)."""
    refusal = plant(fault)
    if refusal:
        return False, f"the patch does not apply:\n{refusal}"
    try:
        passed, failed, output = run(fault.suite)
    finally:
        for name in fault.files:
            copy(name)
    tail = "\n".join(output.splitlines()[-30:])
    if "could not compile" in output:
        errors = [line for line in output.splitlines() if line.startswith("error")]
        return False, "it does not compile:\n" + "\n".join(errors[:5])
    if passed:
        return False, f"NOT CAUGHT by {fault.suite}"
    if not any(name.split("::")[-1] == fault.catcher for name in failed):
        others = ", ".join(failed) or "no test"
        return False, f"{fault.catcher} does not catch it, {others} failed:\n{tail}"
    others = len(failed) - 1
    more = f" and {others} more" if others else ""
    return True, f"caught by {next(n for n in failed if n.endswith(fault.catcher))}{more}"


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    faults = [Fault(path) for path in sorted(HERE.glob("*.patch")) if wanted in path.name]
    if not faults:
        sys.exit(f"no fault's name contains {wanted!r}")
    TREE.mkdir(parents=True, exist_ok=True)
    lock = open(WORK / "lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    copy_all()
    # By suite, so that little is built again between two faults.
    suites = sorted({fault.suite for fault in faults})
    for suite in suites:
        passed, failed, output = run(suite)
        if not passed:
            print("\n".join(output.splitlines()[-40:]))
            print(f"the tree without a fault fails: {suite}: {', '.join(failed)}")
            print(f"0 passed, {len(faults)} failed")
            sys.exit(1)
        print(f"without a fault: ok    {suite}", flush=True)
    failures = 0
    for fault in sorted(faults, key=lambda fault: (fault.suite, fault.name)):
        begun = time.monotonic()
        caught, text = check(fault)
        failures += not caught
        mark = "ok  " if caught else "FAIL"
        print(f"{mark} {fault.name} ({time.monotonic() - begun:.0f} s): {text}", flush=True)
    print(f"{len(faults) - failures} passed, {failures} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
