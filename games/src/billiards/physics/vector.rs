//! Vectors in the plane of the cloth, and above it.

pub(super) type Vec2 = [f64; 2];
pub(super) type Vec3 = [f64; 3];

pub(super) fn add(a: Vec2, b: Vec2) -> Vec2 {
    [a[0] + b[0], a[1] + b[1]]
}

pub(super) fn sub(a: Vec2, b: Vec2) -> Vec2 {
    [a[0] - b[0], a[1] - b[1]]
}

pub(super) fn scale(a: Vec2, k: f64) -> Vec2 {
    [a[0] * k, a[1] * k]
}

pub(super) fn dot(a: Vec2, b: Vec2) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

pub(super) fn norm(a: Vec2) -> f64 {
    libm::sqrt(dot(a, a))
}

/// `a` with length one; the null vector stays null.
pub(super) fn unit(a: Vec2) -> Vec2 {
    let length = norm(a);
    if length > 0.0 { scale(a, 1.0 / length) } else { a }
}

/// A quarter turn to the left.
pub(super) fn left(a: Vec2) -> Vec2 {
    [-a[1], a[0]]
}

pub(super) fn add3(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub(super) fn sub3(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(super) fn scale3(a: Vec3, k: f64) -> Vec3 {
    [a[0] * k, a[1] * k, a[2] * k]
}

pub(super) fn dot3(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn norm3(a: Vec3) -> f64 {
    libm::sqrt(dot3(a, a))
}

pub(super) fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// In the plane of the cloth, seen as a vector in space.
pub(super) fn flat(a: Vec2) -> Vec3 {
    [a[0], a[1], 0.0]
}
