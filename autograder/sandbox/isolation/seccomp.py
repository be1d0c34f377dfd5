"""The system calls that a session may make: an allow list, as a program for the kernel.

Everything that is not on the list fails with EPERM: namespaces, mounts, ptrace, keys, BPF,
io_uring, System V memory, all sockets but those of Unix. What is newer than the list fails with
ENOSYS, so that the C library falls back to what it used before.

Files that all sessions may read are one and the same to the kernel. So a session may not ask which
of their pages are in memory, nor say which shall be, and may not leave a lock, a lease or a hint at
them: the next session could read it. What honest code needs of that is answered as if it were done.

Source: Linux, `Documentation/userspace-api/seccomp_filter.rst`; the numbers are those of
`asm/unistd_64.h` and `asm-generic/unistd.h`.
"""

import errno
import os
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

__all__ = ["MACHINES", "allowed_numbers", "seccomp_program"]


class Machine(NamedTuple):
    """What the filter needs to know of a processor: its place in the table and its name there."""

    column: int
    audit: int  # AUDIT_ARCH_*
    special: dict[str, int]  # the calls that are not simply allowed or refused


MACHINES: Mapping[str, Machine] = {
    "x86_64": Machine(
        0,
        0xC000003E,
        {
            "clone": 56,
            "clone3": 435,
            "fadvise64": 221,
            "fcntl": 72,
            "flock": 73,
            "ioctl": 16,
            "madvise": 28,
            "mincore": 27,
            "prctl": 157,
            "preadv2": 327,
            "prlimit64": 302,
            "pwritev2": 328,
            "socket": 41,
            "sync_file_range": 277,
        },
    ),
    "aarch64": Machine(
        1,
        0xC00000B7,
        {
            "clone": 220,
            "clone3": 435,
            "fadvise64": 223,
            "fcntl": 25,
            "flock": 32,
            "ioctl": 29,
            "madvise": 233,
            "mincore": 232,
            "prctl": 167,
            "preadv2": 286,
            "prlimit64": 261,
            "pwritev2": 287,
            "socket": 198,
            "sync_file_range": 84,
        },
    ),
}

# Each call with its numbers on x86-64 and aarch64; a dash where a machine does not have it.
_ALLOWED = """
accept 43 202; accept4 288 242; access 21 -; alarm 37 -; arch_prctl 158 -; bind 49 200
brk 12 214; capget 125 90; chdir 80 49; chmod 90 -; chown 92 -; clock_getres 229 114
clock_gettime 228 113; clock_nanosleep 230 115; close 3 57; close_range 436 436; connect 42 203
copy_file_range 326 285; creat 85 -; dup 32 23; dup2 33 -; dup3 292 24; epoll_create 213 -
epoll_create1 291 20; epoll_ctl 233 21; epoll_pwait 281 22; epoll_pwait2 441 441
epoll_wait 232 -; eventfd 284 -; eventfd2 290 19; execve 59 221; execveat 322 281; exit 60 93
exit_group 231 94; faccessat 269 48; faccessat2 439 439; fallocate 285 47
fchdir 81 50; fchmod 91 52; fchmodat 268 53; fchmodat2 452 452; fchown 93 55; fchownat 260 54
fdatasync 75 83; fgetxattr 193 10; flistxattr 196 13; fork 57 -
fstat 5 80; fstatfs 138 44; fsync 74 82; ftruncate 77 46; futex 202 98; futex_requeue 456 456
futex_wait 455 455; futex_waitv 449 449; futex_wake 454 454; futimesat 261 -
get_mempolicy 239 236; get_robust_list 274 100; getcpu 309 168; getcwd 79 17; getdents 78 -
getdents64 217 61; getegid 108 177; geteuid 107 175; getgid 104 176; getgroups 115 158
getitimer 36 102; getpeername 52 205; getpgid 121 155; getpgrp 111 -; getpid 39 172
getppid 110 173; getpriority 140 141; getrandom 318 278; getresgid 120 150; getresuid 118 148
getrlimit 97 163; getrusage 98 165; getsid 124 156; getsockname 51 204; getsockopt 55 209
gettid 186 178; gettimeofday 96 169; getuid 102 174; getxattr 191 8; kill 62 129; lchown 94 -
lgetxattr 192 9; link 86 -; linkat 265 37; listen 50 201; listxattr 194 11; llistxattr 195 12
lseek 8 62; lstat 6 -; membarrier 324 283; memfd_create 319 279
mkdir 83 -; mkdirat 258 34; mlock 149 228; mlock2 325 284; mmap 9 222; mprotect 10 226
mremap 25 216; msync 26 227; munlock 150 229; munmap 11 215; nanosleep 35 101
newfstatat 262 79; open 2 -; openat 257 56; openat2 437 437; pause 34 -; pidfd_open 434 434
pidfd_send_signal 424 424; pipe 22 -; pipe2 293 59; pkey_alloc 330 289; pkey_free 331 290
pkey_mprotect 329 288; poll 7 -; ppoll 271 73; pread64 17 67; preadv 295 69
pselect6 270 72; pwrite64 18 68; pwritev 296 70; read 0 63
readlink 89 -; readlinkat 267 78; readv 19 65; recvfrom 45 207; recvmmsg 299 243
recvmsg 47 212; rename 82 -; renameat 264 38; renameat2 316 276; restart_syscall 219 128
rmdir 84 -; rseq 334 293; rt_sigaction 13 134; rt_sigpending 127 136; rt_sigprocmask 14 135
rt_sigqueueinfo 129 138; rt_sigreturn 15 139; rt_sigsuspend 130 133; rt_sigtimedwait 128 137
rt_tgsigqueueinfo 297 240; sched_get_priority_max 146 125; sched_get_priority_min 147 126
sched_getaffinity 204 123; sched_getattr 315 275; sched_getparam 143 121
sched_getscheduler 145 120; sched_rr_get_interval 148 127; sched_setaffinity 203 122
sched_yield 24 124; select 23 -; sendfile 40 71; sendmmsg 307 269; sendmsg 46 211
sendto 44 206; set_robust_list 273 99; set_tid_address 218 96; setitimer 38 103
setpgid 109 154; setrlimit 160 164; setsid 112 157; setsockopt 54 208
shutdown 48 210; sigaltstack 131 132; signalfd 282 -; signalfd4 289 74; socketpair 53 199
splice 275 76; stat 4 -; statfs 137 43; statx 332 291; symlink 88 -; symlinkat 266 36
sysinfo 99 179; tee 276 77; tgkill 234 131; time 201 -
timer_create 222 107; timer_delete 226 111; timer_getoverrun 225 109; timer_gettime 224 108
timer_settime 223 110; timerfd_create 283 85; timerfd_gettime 287 87; timerfd_settime 286 86
times 100 153; tkill 200 130; truncate 76 45; umask 95 166; uname 63 160; unlink 87 -
unlinkat 263 35; utime 132 -; utimensat 280 88; utimes 235 -; vfork 58 -; wait4 61 260
waitid 247 95; write 1 64; writev 20 66
"""
_NEWEST = 462  # the last call that was known when the list was made
_NEW_NAMESPACES = 0x7E020000  # flags of clone
_IOCTLS = (0x5401, 0x5413, 0x540F, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS … FIOCLEX
# PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ,
# PR_GET_NO_NEW_PRIVS, PR_SET_THP_DISABLE, PR_GET_THP_DISABLE, PR_SET_VMA
_PRCTLS = (1, 2, 3, 15, 16, 23, 39, 41, 42, 0x53564D41)
# F_DUPFD … F_SETFL, F_GETLK (finds no lock, as none is taken), F_SETOWN … F_GETSIG, F_SETOWN_EX,
# F_GETOWN_EX, F_OFD_GETLK, F_DUPFD_QUERY, F_DUPFD_CLOEXEC, F_SETPIPE_SZ … F_GET_SEALS
_FCNTLS = (0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 15, 16, 36, 1027, 1030, 1031, 1032, 1033, 1034)
_LOCKS = (6, 7, 37, 38)  # F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW
# MADV_NORMAL, MADV_DONTNEED, MADV_FREE, MADV_DONTFORK, MADV_DOFORK, MADV_HUGEPAGE, MADV_NOHUGEPAGE,
# MADV_DONTDUMP, MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK
_MADVICES = (0, 4, 8, 10, 11, 14, 15, 16, 17, 18, 19)
_AF_UNIX, _NO_FAMILY = 1, 0xFFFF
_ITSELF = 0  # in place of the number of a process

# Instructions of classic BPF, and what a filter returns.
_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _JUMP_FROM, _JUMP_BITS, _RETURN = (
    0x20,
    0x15,
    0x25,
    0x35,
    0x45,
    0x06,
)
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_AS_IF_DONE = _ERRNO | 0  # the call returns 0, and nothing has happened
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

Instruction = tuple[int, int, int, int]
Answer = tuple[int, int, int]  # an instruction that compares, its operand, and what then comes


def seccomp_program(
    machine: str | None = None, devices: bool = False, sockets: bool = True
) -> bytes:
    """Return the filter for a machine, as struct sock_filter after struct sock_filter.

    Args:
        machine: a key of `MACHINES`; None is this one.
        devices: whether ioctl may be used freely, as the driver of a GPU needs.
        sockets: whether there may be sockets of Unix other than pairs: where others' sockets can
            be found in the file system there may not.

    Raises:
        KeyError: there is no list for this machine.
    """
    name = machine or os.uname().machine
    which = MACHINES[name]
    special = which.special
    plain = sorted(allowed_numbers(name) | ({special["ioctl"]} if devices else set()))
    families = [_AF_UNIX] if sockets else [_NO_FAMILY]
    locks: list[Answer] = [(_JUMP_EQUAL, command, _AS_IF_DONE) for command in _LOCKS]
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, which.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        *_runs(plain),
        *_always(special["clone3"], _ERRNO | errno.ENOSYS),  # its flags are out of a filter's sight
        *_always(special["flock"], _AS_IF_DONE),
        *_always(special["fadvise64"], _AS_IF_DONE),
        *(
            instruction
            for call in ("mincore", "preadv2", "pwritev2", "sync_file_range")
            for instruction in _always(special[call], _ERRNO | errno.ENOSYS)
        ),
        *_by_argument(
            special["clone"], 0, [(_JUMP_BITS, _NEW_NAMESPACES, _ERRNO | errno.EPERM)], _ALLOW
        ),
        *_by_argument(special["socket"], 0, _any_of(families), _ERRNO | errno.EACCES),
        *_by_argument(special["prlimit64"], 0, _any_of([_ITSELF]), _ERRNO | errno.EPERM),
        *_by_argument(special["ioctl"], 1, _any_of(_IOCTLS), _ERRNO | errno.ENOTTY),
        *_by_argument(special["prctl"], 0, _any_of(_PRCTLS), _ERRNO | errno.EPERM),
        *_by_argument(special["fcntl"], 1, [*_any_of(_FCNTLS), *locks], _ERRNO | errno.EINVAL),
        *_by_argument(special["madvise"], 2, _any_of(_MADVICES), _ERRNO | errno.EINVAL),
        (_JUMP_ABOVE, 0, 1, _NEWEST),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


def allowed_numbers(machine: str) -> set[int]:
    """Return the numbers of the calls that are allowed whatever their arguments."""
    column = MACHINES[machine].column
    rows = (entry.split() for entry in _ALLOWED.replace("\n", ";").split(";") if entry.strip())
    return {int(row[1 + column]) for row in rows if row[1 + column] != "-"}


def _runs(numbers: Sequence[int]) -> Iterable[Instruction]:
    """Allow numbers, by their runs without a gap."""
    first = 0
    for i, number in enumerate(numbers):
        if i + 1 == len(numbers) or numbers[i + 1] != number + 1:
            yield _JUMP_FROM, 0, 2, numbers[first]
            yield _JUMP_ABOVE, 1, 0, number
            yield _RETURN, 0, 0, _ALLOW
            first = i + 1


def _always(number: int, answer: int) -> Iterable[Instruction]:
    yield _JUMP_EQUAL, 0, 1, number
    yield _RETURN, 0, 0, answer


def _any_of(values: Iterable[int]) -> list[Answer]:
    return [(_JUMP_EQUAL, value, _ALLOW) for value in values]


def _by_argument(
    number: int, argument: int, answers: Iterable[Answer], otherwise: int
) -> Iterable[Instruction]:
    """Decide about a call by the lower half of an argument.

    Args:
        number: the call's.
        argument: which of its arguments, from 0.
        answers: instructions that compare, their operands, and the answer if it holds; the first
            that does decides.
        otherwise: the answer if none does.
    """
    body: list[Instruction] = [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument)]
    for code, operand, answer in answers:
        body += [(code, 0, 1, operand), (_RETURN, 0, 0, answer)]
    body.append((_RETURN, 0, 0, otherwise))
    yield _JUMP_EQUAL, 0, len(body), number
    yield from body
