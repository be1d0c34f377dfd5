"""From a notebook of nbgrader's or Otter's to the first draft of a source notebook of ours."""
