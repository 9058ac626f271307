"""An interactive shell on a terminal of its own: `on_tty.py [TEXT | =TEXT | ^C]...`

A plain word is typed as a line, ^C and the like are that key, =TEXT waits until TEXT has come, and fails
after ten seconds. What the terminal showed goes to standard output.
"""
import os, pty, select, shlex, sys, time

LIMIT = 300


def main():
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["PS1"] = "$ "
        command = shlex.split(os.environ.get("ON_TTY", "bash --norc --noprofile --noediting -i"))
        os.execvp(command[0], command)
    shown = b""
    seen = 0
    end = None
    for word in sys.argv[1:] + [None]:
        if word is not None and not word.startswith("="):
            key = bytes([ord(word[1]) & 31]) if len(word) == 2 and word[0] == "^" else word.encode() + b"\n"
            os.write(terminal, key)
            continue
        wanted = word and word[1:].encode()
        end = time.monotonic() + LIMIT
        while wanted is None or wanted not in shown[seen:]:
            ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
            try:
                data = os.read(terminal, 4096) if ready else b""
            except OSError:
                data = b""  # the other end is closed
            if not data:
                break
            shown += data
        if wanted is not None and wanted not in shown[seen:]:
            sys.stdout.buffer.write(shown)
            print("\nnever came: " + word[1:])
            os.kill(pid, 9)
            sys.exit(1)
        if wanted is not None:
            seen = shown.index(wanted, seen) + len(wanted)
    sys.stdout.buffer.write(shown)
    _, status = os.waitpid(pid, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 255)


main()
