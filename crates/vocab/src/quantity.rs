//! Scalars with a unit, finite by construction.

macro_rules! quantity {
    ($(#[$meta:meta])* $name:ident, $unit:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
        pub struct $name(f64);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(0.0);

            /// `None` when the value is infinite or not a number.
            #[must_use]
            pub const fn new(value: f64) -> Option<Self> {
                if value.is_finite() { Some(Self(value)) } else { None }
            }

            #[doc = concat!("The value in ", $unit, ".")]
            #[must_use]
            pub const fn get(self) -> f64 {
                self.0
            }
        }
    };
}

quantity!(
    /// A length or distance in metres.
    Metres, "metres");
quantity!(
    /// An angle in radians.
    Radians, "radians");
quantity!(
    /// A speed in metres a second.
    MetresPerSec, "metres a second");
quantity!(
    /// An angular speed in radians a second.
    RadPerSec, "radians a second");
quantity!(
    /// A force in newtons.
    Newtons, "newtons");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_finite() {
        assert!(Metres::new(f64::NAN).is_none());
        assert!(Metres::new(f64::INFINITY).is_none());
        assert_eq!(Metres::new(0.1).map(Metres::get), Some(0.1));
    }
}
