from autograder import alternative, mistake

mistake(
    "a stride acts on the layers above it: in the last layer it has none to act on",
    field_enlarging_changes="BCEFH",
)
mistake(
    "padding moves the field and cuts it at the border, but does not enlarge it",
    field_enlarging_changes="BCDFH",
)
mistake(
    "a kernel of one pixel looks no farther than the layer below",
    field_enlarging_changes="BCFGH",
)
mistake(
    "dilation is forgotten: it spreads the kernel over more pixels", field_enlarging_changes="BCH"
)
mistake("more filters look at the same pixels", field_enlarging_changes="ABCFH")
mistake("a larger image is seen through the same window", field_enlarging_changes="BCFHI")
mistake(
    "only kernels are thought of: strides and pooling below enlarge the field too",
    field_enlarging_changes="BF",
)
mistake("everything at once", field_enlarging_changes="ABCDEFGHI")
mistake("words in place of letters", field_enlarging_changes="kernel, stride")
alternative(
    "in another order, with commas",
    field_enlarging_changes="h, c, b, f",
)
