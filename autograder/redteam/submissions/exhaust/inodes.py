# expect: earns everything
# Makes as many empty files as it can within its time.
import os

for number in range(10**7):
    if number % 1000 == 0:
        os.mkdir(f"{number}")
    os.close(os.open(f"{number // 1000}000/{number}" if number >= 1000 else f"0/{number}", os.O_CREAT))
