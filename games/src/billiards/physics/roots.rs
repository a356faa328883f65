//! When a polynomial first comes down to zero.
//!
//! The distance between two things is a polynomial in time, of degree four at most. In the basis of
//! Bernstein its coefficients say much at a glance: while all are positive so is the polynomial,
//! and as often as their signs change, so many roots it has at most. Halving the span until they
//! change once (de Casteljau) finds the first root whatever the degree: nothing is divided by a
//! leading coefficient, so that two balls of equal acceleration are no special case.

/// Halvings after which two roots so close together are one: the things just graze.
const HALVINGS: u32 = 40;

/// The first time in `(0, span]` at which `c[0] + c[1] t + … + c[4] t⁴` comes down to zero.
/// `c[0]` is positive.
pub(super) fn first_descent(c: &[f64; 5], span: f64) -> Option<f64> {
    let q = [
        c[0],
        c[1] * span,
        c[2] * span * span,
        c[3] * span * span * span,
        c[4] * span * span * span * span,
    ];
    let b = [
        q[0],
        q[0] + q[1] / 4.0,
        q[0] + q[1] / 2.0 + q[2] / 6.0,
        q[0] + q[1] * 0.75 + q[2] / 2.0 + q[3] / 4.0,
        q[0] + q[1] + q[2] + q[3] + q[4],
    ];
    let root = descent_within(&b, 0.0, 1.0, HALVINGS, &q)?;
    Some(root * span)
}

/// The same between `from` and `to`, of the polynomial with these Bernstein coefficients there and
/// the power coefficients `q`.
fn descent_within(b: &[f64; 5], from: f64, to: f64, halvings: u32, q: &[f64; 5]) -> Option<f64> {
    if b.iter().all(|&b| b > 0.0) {
        return None;
    }
    let changes = b.windows(2).filter(|pair| (pair[0] > 0.0) != (pair[1] > 0.0)).count();
    if changes == 1 {
        return Some(refine(from, to, q));
    }
    if halvings == 0 {
        return (b[4] <= 0.0).then_some(to);
    }
    let half = |a: f64, b: f64| 0.5 * (a + b);
    let (b01, b12, b23, b34) =
        (half(b[0], b[1]), half(b[1], b[2]), half(b[2], b[3]), half(b[3], b[4]));
    let (b02, b13, b24) = (half(b01, b12), half(b12, b23), half(b23, b34));
    let (b03, b14) = (half(b02, b13), half(b13, b24));
    let middle = half(b03, b14);
    let at = half(from, to);
    descent_within(&[b[0], b01, b02, b03, middle], from, at, halvings - 1, q)
        .or_else(|| descent_within(&[middle, b14, b24, b34, b[4]], at, to, halvings - 1, q))
}

/// The only root between `low`, where the polynomial is positive, and `high`, where it is not:
/// Newton's method, halving where that leaves the span.
fn refine(mut low: f64, mut high: f64, q: &[f64; 5]) -> f64 {
    let mut x = 0.5 * (low + high);
    for _ in 0..60 {
        let value = (((q[4] * x + q[3]) * x + q[2]) * x + q[1]) * x + q[0];
        let slope = ((4.0 * q[4] * x + 3.0 * q[3]) * x + 2.0 * q[2]) * x + q[1];
        if value > 0.0 {
            low = x
        } else {
            high = x
        }
        let newton = x - value / slope;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if next == x || (next - x).abs() <= 1e-17 {
            return next;
        }
        x = next;
    }
    x
}
