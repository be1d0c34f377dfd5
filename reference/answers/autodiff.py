"""Answer key of homework 3: statements on differences, on both modes and on descent.

Sources: Griewank and Walther, "Evaluating Derivatives", 2008, for differences and modes;
Shalev-Shwartz and Ben-David, "Understanding Machine Learning", 2014, chapter 14, for descent.
"""

# Which statements on finite differences are true? Unless a statement says otherwise, f is smooth,
# its second and third derivatives are not zero, and n is the number of its inputs.
#   A  The smaller h, the smaller the error, down to the smallest positive double.
#   B  As long as rounding plays no part, halving h about halves the error of the forward scheme.
#   C  As long as rounding plays no part, halving h about halves the error of the central scheme.
#   D  In exact arithmetic the central scheme differentiates every quadratic polynomial exactly.
#   E  At the kink of the function |w|, at w = 0, both schemes give the same value.
#   F  The central Jacobian takes 2n evaluations of f, however many outputs f has.
#   G  For a convex function of one number, the forward difference is never below the derivative.
#   H  The best h of the central scheme is smaller than the best h of the forward scheme.
difference_statements = "BDFG"

# Which statements on the two modes are true? The function has n inputs and m outputs.
#   A  For n = 1000 and m = 3, all of J takes at least 1000 sweeps of reverse mode.
#   B  In y = (x * x) * x, where x is one node, the grad of x gets three contributions.
#   C  The memory that forward mode needs grows with the number of steps of the program.
#   D  For n = 1 and m = 1000, reverse mode needs fewer sweeps than forward mode for all of J.
#   E  Through 1000 steps of gradient descent, reverse mode keeps or recomputes the 1000 points.
#   F  The reverse of the order in which the nodes were made is a right order for `backward`.
#   G  A Hessian times a vector takes n sweeps, as all columns of the Hessian are needed.
#   H  For given u and v, the number u^T J v takes one sweep, of whichever mode one likes.
mode_statements = "BEFH"

# Which statements on descent are true? f is differentiable.
#   A  If all v_t are zero, the regret inequality is strict, unless w_star is zero.
#   B  If f is convex, f at the mean of the iterates equals the mean of f over the iterates.
#   C  A larger lambda in the proximity term makes for a longer step.
#   D  If f is convex, its linearisation at any point lies nowhere above f.
#   E  With one fixed eta for every T, the bound on the averaged iterate tends to zero as T grows.
#   F  If the sampled gradient is right on average, a step of SGD lowers F on average, from any w.
#   G  If the gradient of f is Lipschitz with constant L, `prox_step` with lam = L never raises f.
#   H  With the best eta for each T, the bound halves when T is four times as large.
descent_statements = "ADGH"
