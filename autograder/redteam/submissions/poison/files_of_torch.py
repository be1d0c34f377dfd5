# expect: earns nothing
# Submits files of torch.save, a pickle and a YAML with Python tags beside the notebook.
import os
import pickle

import nbformat


class Payload:
    def __reduce__(self):
        return os.system, (f"touch {PUBLIC}/{MARK}",)


def make(folder, notebook):
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
    for name in ("model.pt", "weights.pth", "answers.pkl", "results.json", "cache.joblib"):
        (folder / name).write_bytes(pickle.dumps(Payload()))
    for name in ("config.yaml", "autotests.yml"):
        text = f"!!python/object/apply:os.system ['touch {PUBLIC}/{MARK}']\n"
        (folder / name).write_text(text)
