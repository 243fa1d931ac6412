"""Processor time and memory of a process and everything below it, as Linux counts them."""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(root):
    """Processor seconds of a process tree so far, those of its ended children included."""
    return sum(own_seconds(pid) + ended_children_seconds(pid) for pid in tree(root))


def own_seconds(pid):
    # The clock of another process, by the kernel's numbering; /proc would only count in hundredths of a second.
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def ended_children_seconds(pid):
    fields = stat_fields(pid)
    return (int(fields[13]) + int(fields[14])) / TICKS if fields else 0.0


def tree(root):
    """The process and its descendants."""
    children = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := stat_fields(folder.name)):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def stat_fields(pid):
    # The name of the program stands in parentheses and may contain anything.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None


def bytes_read(pid):
    """Bytes that the process has got by reading files so far, whether a disk or the system's cache had them."""
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("rchar:"):
            return int(line.split()[1])
    return 0


def reset_peak_memory(pid):
    """Lets the peak begin at what the process uses at this moment."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        pass


def peak_memory_mb(pid):
    """The most memory that the process had resident since the last reset."""
    return memory_mb(pid, "VmHWM")


def resident_memory_mb(pid):
    """The memory that the process has resident."""
    return memory_mb(pid, "VmRSS")


def memory_mb(pid, name):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def load_average():
    """How many processes wanted a processor in the last minute; what others do on the machine shows here."""
    return os.getloadavg()[0]
