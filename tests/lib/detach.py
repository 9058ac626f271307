#!/usr/bin/env python3
"""A person at a terminal: detach.py COMMAND… with the person's doings on standard input, one a line.

    see TEXT        waits until that is shown (since the last `see`)
    not TEXT        it is not shown in half a second
    type TEXT       \\x10 and the like are keys
    paste TEXT      the same, in one write
    size ROWS COLS  of the window, with its signal
    kill SIGNAL     to the command
    cooked, raw     how the terminal is, now or soon
    exit STATUS     the command ends with that; 128+N for a signal
    run COMMAND     a shell's, with $PID
    xoff, xon       the terminal takes no output, and takes it again
    hang            the terminal is closed

All within ten seconds each; the first that is not so is told, with what was shown, and the status is 1.
"""
import fcntl, os, pty, select, signal, struct, subprocess, sys, termios, time

shown = b''
master, slave = pty.openpty()
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', 24, 80, 0, 0))
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # which Python ignores, and programs inherit
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for standard in range(3):
        os.dup2(slave, standard)
    os.closerange(3, 64)
    os.execvp(sys.argv[1], sys.argv[1:])


def read(seconds):
    global shown
    if master >= 0 and select.select([master], [], [], seconds)[0]:
        shown += os.read(master, 4096)


def until(condition):
    end = time.monotonic() + 300
    while not condition():
        if time.monotonic() > end:
            return False
        read(0.05)
    return True


def see(text):
    global shown
    if not until(lambda: text in shown):
        return False
    shown = shown[shown.index(text) + len(text):]
    return True


def is_not(text):
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        read(0.05)
    return text not in shown


def keys(text, pause):
    for part in ([text] if pause is None else [text[i:i + 1] for i in range(len(text))]):
        os.write(master, part)
        read(pause or 0)
    return True


ended = []


def wait(status):
    def gone():
        found, how = os.waitpid(pid, os.WNOHANG)
        if found:
            ended.append(os.waitstatus_to_exitcode(how))
        return bool(ended)
    if not until(gone):
        return False
    got = ended[0] if ended[0] >= 0 else 128 - ended[0]
    if got != int(status):
        print('status', got)
    return got == int(status)


def size(rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack('HHHH', int(rows), int(columns), 0, 0))
    return True


def hang():
    global master
    os.close(slave)
    os.close(master)
    master = -1
    return True


def flow(action):
    termios.tcflow(slave, action)
    return True


def is_raw():
    return not termios.tcgetattr(slave)[3] & termios.ICANON


def shell(command):
    done = subprocess.run(['bash', '-euc', command], env={**os.environ, 'PID': str(pid)},
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        sys.stdout.buffer.write(done.stdout + done.stderr)
    return done.returncode == 0


doings = {
    b'see': lambda text: see(text),
    b'not': lambda text: is_not(text),
    b'type': lambda text: keys(text, 0.02),
    b'paste': lambda text: keys(text, None),
    b'size': lambda text: size(*text.split()),
    b'kill': lambda text: os.kill(pid, getattr(signal, 'SIG' + text.decode())) is None,
    b'cooked': lambda _: until(lambda: termios.tcgetattr(slave) == before),
    b'raw': lambda _: until(is_raw),
    b'exit': wait,
    b'run': lambda text: shell(text.decode()),
    b'hang': lambda _: hang(),
    b'xoff': lambda _: flow(termios.TCOOFF),
    b'xon': lambda _: flow(termios.TCOON),
}
for line in sys.stdin.buffer.read().splitlines():
    verb, _, text = line.strip().partition(b' ')
    if not verb:
        continue
    if verb != b'run':
        text = text.decode('unicode_escape').encode('latin-1')
    if not doings[verb](text):
        print('not so:', line.decode())
        print('shown:', shown[-500:])
        sys.exit(1)
