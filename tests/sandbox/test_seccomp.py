import errno
import re
import struct
from pathlib import Path

import pytest

from autograder.sandbox.isolation.seccomp import MACHINES, allowed_numbers, seccomp_program

ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
HEADERS = {
    "x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    "aarch64": "/usr/include/asm-generic/unistd.h",
}
CALLS = {  # some that every machine has: on x86-64, on aarch64
    "read": (0, 63),
    "mmap": (9, 222),
    "execve": (59, 221),
    "memfd_create": (319, 279),
    "ptrace": (101, 117),
    "unshare": (272, 97),
    "mount": (165, 40),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "shmget": (29, 194),
    "setuid": (105, 146),
}
HARMLESS = ("read", "mmap", "execve", "memfd_create")
SPECIAL = {  # by their arguments: number on each, index of the argument, allowed and refused ones
    "clone": (56, 220, 0, [0x01200011, 0x003D0F00], [0x10000011, 0x20000011, 0x40020011]),
    "socket": (41, 198, 0, [1], [0, 2, 10, 16, 17, 38, 40]),
    "ioctl": (16, 29, 1, [0x5401, 0x541B], [0x5412, 0x5480, 0xC0046600]),
    "prctl": (157, 167, 0, [1, 15], [8, 22, 24, 28, 38]),
    "prlimit64": (302, 261, 0, [0], [1, 4242]),
    "fcntl": (72, 25, 1, [0, 1, 2, 3, 4, 5, 36, 1030], [6, 7, 37, 38, *range(1024, 1027)]),
    "fcntl's hints": (72, 25, 1, [1031, 1034], [1029, *range(1035, 1060)]),
    "madvise": (28, 233, 2, [0, 4, 8, 14], [1, 2, 3, 9, 12, 20, 21, 22, 23, 25, 100, 101]),
}
# What a file that all may read could carry from one session to the next; and how it is answered:
# as if it were done where honest code needs that.
CARRIERS = {
    "preadv2": (327, 286, errno.ENOSYS),
    "pwritev2": (328, 287, errno.ENOSYS),
    "mincore": (27, 232, errno.ENOSYS),
    "sync_file_range": (277, 84, errno.ENOSYS),
    "cachestat": (451, 451, errno.EPERM),
    "readahead": (187, 213, errno.EPERM),
    "inotify_init1": (294, 26, errno.EPERM),
    "fanotify_init": (300, 262, errno.EPERM),
    "name_to_handle_at": (303, 264, errno.EPERM),
    "vmsplice": (278, 75, errno.EPERM),
    "io_submit": (209, 2, errno.EPERM),
    "fadvise64": (221, 223, 0),
    "flock": (73, 32, 0),
}
LOCKS = (6, 7, 37, 38)


def decide(program, number, arguments=(), audit=None, machine="x86_64"):
    """Run a filter as the kernel does."""
    audit = MACHINES[machine].audit if audit is None else audit
    words = [*arguments, *([0] * (6 - len(arguments)))]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, audit, 0, *words)
    code = list(struct.iter_unpack("HBBI", program))
    accumulator = place = 0
    while True:
        operation, yes, no, operand = code[place]
        place += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, operand)
            case 0x15:
                place += yes if accumulator == operand else no
            case 0x25:
                place += yes if accumulator > operand else no
            case 0x35:
                place += yes if accumulator >= operand else no
            case 0x45:
                place += yes if accumulator & operand else no
            case 0x06:
                return operand
            case _:
                pytest.fail(f"an instruction that is none: {operation:#x}")


@pytest.fixture(params=list(MACHINES))
def machine(request):
    return request.param


@pytest.fixture
def verdict(machine):
    program = seccomp_program(machine)
    return lambda number, *arguments: decide(program, number, arguments, machine=machine)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_allowed_exactly_if_it_is_harmless(name, machine, verdict):
    number = CALLS[name][MACHINES[machine].column]
    assert verdict(number) == (ALLOW if name in HARMLESS else ERRNO | errno.EPERM)


@pytest.mark.parametrize("name", SPECIAL)
def test_some_calls_are_allowed_with_some_arguments_only(name, machine, verdict):
    *numbers, index, good, bad = SPECIAL[name]
    number, before = numbers[MACHINES[machine].column], [7] * index
    assert {verdict(number, *before, value) for value in good} == {ALLOW}
    assert ALLOW not in {verdict(number, *before, value) for value in bad}


@pytest.mark.parametrize("name", CARRIERS)
def test_what_could_carry_something_to_the_next_session_is_not_done(name, machine, verdict):
    *numbers, error = CARRIERS[name]
    for flags in (0, 8, 0x80, 0xFFFFFFFF):
        number = numbers[MACHINES[machine].column]
        assert verdict(number, 3, flags, 0, 0, 0, flags) == ERRNO | error


def test_locks_of_files_are_granted_and_not_taken(machine, verdict):
    fcntl = MACHINES[machine].special["fcntl"]
    assert {verdict(fcntl, 3, command) for command in LOCKS} == {ERRNO | 0}


def test_every_number_is_decided_as_the_list_says(machine, verdict):
    allowed = allowed_numbers(machine)
    special = set(MACHINES[machine].special.values())
    for number in range(600):
        if number not in special:
            assert (verdict(number) == ALLOW) == (number in allowed), number


def test_what_is_newer_than_the_list_is_as_if_it_were_not_there(verdict):
    assert verdict(600) == verdict(0x40000000 + 1) == verdict(-1) == ERRNO | errno.ENOSYS
    assert verdict(435) == ERRNO | errno.ENOSYS  # clone3: the C library falls back to clone


def test_another_architecture_is_killed(machine):
    program = seccomp_program(machine)
    others = {m.audit for m in MACHINES.values()} | {0x40000003} - {MACHINES[machine].audit}
    for audit in others - {MACHINES[machine].audit}:
        assert decide(program, 0, audit=audit) == KILL


def test_a_gpu_needs_every_ioctl_and_nothing_else_more(machine):
    plain, gpu = seccomp_program(machine), seccomp_program(machine, devices=True)
    ioctl = MACHINES[machine].special["ioctl"]
    differ = {
        n
        for n in range(600)
        if decide(plain, n, (9,) * 6, machine=machine) != decide(gpu, n, (9,) * 6, machine=machine)
    }
    assert differ == {ioctl}


def test_sockets_can_be_refused_and_pairs_stay(machine):
    program = seccomp_program(machine, sockets=False)
    socket, pair = ((41, 53), (198, 199))[MACHINES[machine].column]
    assert decide(program, socket, (1,), machine=machine) == ERRNO | errno.EACCES
    assert decide(program, pair, (1,), machine=machine) == ALLOW


def test_no_jump_is_longer_than_an_instruction_can_say(machine):
    assert len(seccomp_program(machine)) // 8 < 4096


def test_a_machine_without_a_list_has_no_filter():
    with pytest.raises(KeyError):
        seccomp_program("m68k")


def test_the_numbers_are_those_of_the_kernels_headers(machine):
    header = Path(HEADERS[machine])
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    text = header.read_text()
    numbers = {int(n) for n in re.findall(r"#define __NR(?:3264)?_\w+ (\d+)", text)}
    newest = max(numbers)
    assert {n for n in allowed_numbers(machine) if n <= newest} <= numbers
