from autograder import alternative, mistake

for title, wrong in (
    ("each step's graph can be freed after the step", {"training_memory": "D"}),
    ("nothing is kept of former steps, not even a few", {"training_memory": "B"}),
    ("without checkpoints nothing of a step is let go before the end", {"reverse_memory": "C"}),
    ("the backward pass needs what each step computed", {"reverse_memory": "A"}),
    (
        "dw/dη of each step is what forward mode carries along; reverse mode never has it",
        {"what_reverse_keeps": "A"},
    ),
    ("the Hessian is never a matrix: only its products are needed", {"what_reverse_keeps": "C"}),
    ("a number does not tell where the gradient was taken", {"what_reverse_keeps": "D"}),
):
    mistake(title, **wrong)
for title, wrong in (
    ("the checkpoints are there all the time, and there are √T", {"checkpointed_memory": "A"}),
    ("that takes checkpoints within checkpoints", {"checkpointed_memory": "B"}),
    ("only one stretch has a graph at any one time", {"checkpointed_memory": "D"}),
    ("one backward pass finds the derivatives in all leaves", {"many_hyperparameters": "B"}),
    ("the two modes are swapped", {"many_hyperparameters": "C"}),
    ("forward mode carries one tangent for each hyperparameter", {"many_hyperparameters": "D"}),
):
    mistake(title, **wrong)
mistake("the text of an answer", training_memory="constant")
alternative(
    "small letters, with spaces",
    training_memory="a",
    reverse_memory=" d",
    what_reverse_keeps="b ",
    checkpointed_memory="c",
    many_hyperparameters="a",
)
