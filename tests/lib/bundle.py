#!/usr/bin/env python3
"""Writes the config.json of an OCI bundle that isolates as docker does by default.

bundle.py ROOT [OPTION…] -- PROGRAM [ARG…] >config.json

--limits      64 MiB of memory, one processor, 100 processes
--cgroups     its cgroups shown in /sys/fs/cgroup, as docker has it
--files DIR   DIR's hosts, hostname and resolv.conf in its /etc
--seccomp     docker's default profile (tests/security/seccomp/docker.rules)
--plain       no seccomp, no masked and no read-only paths, no sysctl, all capabilities: less work than docker's
"""
import argparse
import json
import os
import platform

CAPS = ["CAP_" + name for name in """CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP
    SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE""".split()]
MASKED = ["/proc/" + name for name in """acpi asound interrupts kcore keys latency_stats timer_list timer_stats
    sched_debug scsi""".split()] + ["/sys/firmware", "/sys/devices/virtual/powercap"]
READ_ONLY = ["/proc/" + name for name in "bus fs irq sys sysrq-trigger".split()]
SYSCTL = {"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"}
SAFE = ["nosuid", "noexec", "nodev"]
MACHINES = {"x86_64": ("amd64", ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]),
            "aarch64": ("arm64", ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"])}


def applies(words, machine):
    """Whether a rule is for docker's default capabilities on this machine."""
    for kind, value in zip(words, words[1:]):
        if kind == "cap" and "CAP_" + value not in CAPS:
            return False
        if kind == "nocap" and "CAP_" + value in CAPS:
            return False
        if kind == "on" and machine not in value.split(","):
            return False
    return True


def rule(words):
    made = {"names": [], "action": "SCMP_ACT_ALLOW"}
    if words[0] == "errno":
        made.update(action="SCMP_ACT_ERRNO", errnoRet=int(words[1]))
    if "arg" in words:
        index, operator, value = words[words.index("arg") + 1:][:3]
        made["args"] = [{"index": int(index), "op": "SCMP_CMP_" + operator, "value": int(value),
                         "valueTwo": 0}]
    return made


def seccomp():
    machine, architectures = MACHINES[platform.machine()]
    rules, current = [], None
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../security/seccomp/docker.rules")) as file:
        for line in file:
            words = line.lstrip("@").split()
            if line.startswith("@"):
                current = rule(words) if applies(words, machine) else None
                rules += [current] if current else []
            elif not line.startswith("#") and current:
                current["names"] += words
    return {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "architectures": architectures,
            "syscalls": rules}


def mount(kind, where, *options, source=None):
    return {"destination": where, "type": kind, "source": source or kind, "options": list(options)}


def mounts(options):
    made = [mount("proc", "/proc", *SAFE), mount("tmpfs", "/dev", "nosuid", "mode=755", "size=65536k"),
            mount("devpts", "/dev/pts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
            mount("sysfs", "/sys", "ro", *SAFE), mount("mqueue", "/dev/mqueue", *SAFE),
            mount("tmpfs", "/dev/shm", "mode=1777", *SAFE)]
    if options.cgroups:
        made.append(mount("cgroup", "/sys/fs/cgroup", "ro", *SAFE))
    for name in ("hosts", "hostname", "resolv.conf") if options.files else ():
        made.append(mount("bind", "/etc/" + name, "rbind", "rprivate", source=f"{options.files}/{name}"))
    return made


def config(options):
    process = {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": options.program, "cwd": "/",
               "env": ["PATH=/bin"]}
    namespaces = ["mount", "network", "uts", "pid", "ipc", "cgroup"]
    linux = {"namespaces": [{"type": t} for t in namespaces]}
    if not options.plain:
        process["capabilities"] = {s: CAPS for s in ("bounding", "effective", "permitted")}
        linux.update(maskedPaths=MASKED, readonlyPaths=READ_ONLY, sysctl=SYSCTL)
    if options.limits:
        linux["resources"] = {"memory": {"limit": 64 << 20, "swap": 128 << 20}, "pids": {"limit": 100},
                              "cpu": {"quota": 100000, "period": 100000},
                              "devices": [{"allow": False, "access": "rwm"}]}
    if options.seccomp:
        linux["seccomp"] = seccomp()
    return {"ociVersion": "1.0.2", "hostname": "box", "root": {"path": options.root}, "process": process,
            "mounts": mounts(options), "linux": linux}


parser = argparse.ArgumentParser()
parser.add_argument("root")
for flag in ("limits", "cgroups", "seccomp", "plain"):
    parser.add_argument("--" + flag, action="store_true")
parser.add_argument("--files")
parser.add_argument("program", nargs="+")
print(json.dumps(config(parser.parse_args())))
