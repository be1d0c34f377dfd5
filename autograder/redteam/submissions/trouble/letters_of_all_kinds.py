# expect: earns everything
# Cells with emoji, formulas in Unicode, half letters and bytes on the output.
import sys

π, größe = 3.14, "Größe 🎉 \ud83d"
print(größe.encode("utf-8", "replace"), π, "\x00\x07")
sys.stdout.write("\udcff")
