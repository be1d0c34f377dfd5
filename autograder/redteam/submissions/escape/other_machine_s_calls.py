# expect: earns nothing; never says "escaped"
# Makes 32-bit system calls and those of x32, whose numbers a filter might not know.
import ctypes
import mmap
import platform

if platform.machine() == "x86_64":
    libc = ctypes.CDLL(None)
    X32 = 0x40000000
    if libc.syscall(X32 | 39) > 0:  # getpid
        raise RuntimeError("escaped: x32")
    # mov eax, 20 (getpid); int 0x80; ret
    code = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    if ctypes.CFUNCTYPE(ctypes.c_int)(address)() > 0:
        raise RuntimeError("escaped: 32-bit calls")
