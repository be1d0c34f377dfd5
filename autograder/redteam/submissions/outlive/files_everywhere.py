# expect: earns nothing
# Leaves files in every folder in which it may write.
import os

places = ["/tmp", "/var/tmp", "/dev/shm", "/run", "/", "/root", "/home", "/etc/cron.d", PUBLIC, COURSE]
places += [os.path.expanduser("~root"), f"{COURSE}/submitted/{HONEST}/{ASSIGNMENT}"]
for place in places:
    try:
        with open(f"{place}/{MARK}", "w") as file:
            file.write("# left by a submission\n")
    except OSError:
        pass
