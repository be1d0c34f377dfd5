import numpy as np
import torch
from assignment import image_a, image_b, kernel_q, kernel_r, laplacian

from autograder import alternative, mistake
from reference.answers.conv_arithmetic import laplacian_response, q_response, r_response


def torch_response(image, kernel, mode="constant"):
    """Cross-correlation of the image's own size, with a border of torch's kind, in integers."""
    image, kernel = (
        torch.tensor(np.array(m), dtype=torch.float64)[None, None] for m in (image, kernel)
    )
    padded = torch.nn.functional.pad(image, (1, 1, 1, 1), mode=mode)
    return torch.nn.functional.conv2d(padded, kernel)[0, 0].numpy().round().astype(int)


mistake(
    "the border pixels are repeated outside of the image, where zeros belong",
    laplacian_response=torch_response(image_a, laplacian, "replicate"),
)
mistake(
    "without padding: the response has to be as large as the image",
    laplacian_response=torch_response(image_a, laplacian)[1:-1, 1:-1],
)
mistake("the middle of the kernel is left out", laplacian_response=laplacian_response - 4 * image_a)
mistake("the kernel with its signs changed", laplacian_response=-laplacian_response)
mistake("the border is left at zero", laplacian_response=np.pad(laplacian_response[1:-1, 1:-1], 1))
mistake(
    "the neighbours at the corners count too",
    laplacian_response=torch_response(image_a, [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
)
mistake(
    "only where the image itself is not zero: a response is computed at every pixel",
    laplacian_response=laplacian_response * image_a,
)
mistake("the Laplacian in place of Q", q_response=torch_response(image_b, laplacian))
mistake("image A in place of image B", q_response=torch_response(image_a, kernel_q))
mistake(
    "the border pixels are repeated outside of the image, where zeros belong",
    q_response=torch_response(image_b, kernel_q, "replicate"),
)
mistake("clipped at zero: a response may be negative", q_response=np.maximum(q_response, 0))
mistake(
    "a cross-correlation: the kernel was not turned by half a turn",
    r_response=torch_response(image_b, kernel_r),
)
mistake(
    "the kernel is transposed: rows and columns are exchanged",
    r_response=torch_response(image_b, kernel_r[::-1, ::-1].T),
)
mistake(
    "the kernel is flipped from left to right only, not from top to bottom",
    r_response=torch_response(image_b, kernel_r[:, ::-1]),
)
mistake(
    "the image is turned by half a turn and not the kernel, so the response comes out turned",
    r_response=torch_response(image_b, kernel_r[::-1, ::-1])[::-1, ::-1],
)
mistake(
    "the border pixels are repeated outside of the image, where zeros belong",
    r_response=torch_response(image_b, kernel_r[::-1, ::-1], "replicate"),
)
mistake("image A in place of image B", r_response=torch_response(image_a, kernel_r[::-1, ::-1]))
mistake("one flat list in place of five rows", q_response=q_response.ravel())
alternative(
    "lists of rows",
    laplacian_response=laplacian_response.tolist(),
    q_response=q_response.tolist(),
    r_response=r_response.tolist(),
)
alternative(
    "computed by torch",
    laplacian_response=torch.tensor(torch_response(image_a, laplacian)),
    q_response=torch.tensor(torch_response(image_b, kernel_q)),
    r_response=torch.tensor(torch_response(image_b, np.rot90(kernel_r, 2).copy())),
)
alternative(
    "floats",
    laplacian_response=laplacian_response.astype(float),
    q_response=q_response.astype(np.float32),
    r_response=r_response.astype(float),
)
