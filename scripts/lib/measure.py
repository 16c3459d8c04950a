"""What the benchmarks of the daemon share."""
import socket


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def rss_MB(pid):
    """Resident memory without the ring, which is as large as its configuration says."""
    total, of_ring = 0, False
    with open(f"/proc/{pid}/smaps") as f:
        for line in f:
            word = line.split()
            if "-" in word[0] and not word[0].endswith(":"):
                of_ring = len(word) > 5 and word[5].endswith(".ring")
            elif word[0] == "Rss:" and not of_ring:
                total += int(word[1])
    return total / 1024
