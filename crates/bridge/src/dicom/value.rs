//! Single attributes of a data set.

use dicom_core::Tag;
use dicom_object::InMemDicomObject;

/// The text of `tag` without padding; `None` when missing or empty.
pub fn text(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let text = object.get(tag)?.value().to_str().ok()?;
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    (!text.is_empty()).then(|| text.to_owned())
}

/// The numbers of `tag`, `N` of them and all finite.
pub fn numbers<const N: usize>(object: &InMemDicomObject, tag: Tag) -> Option<[f64; N]> {
    let numbers = object.get(tag)?.value().to_multi_float64().ok()?;
    let numbers: [f64; N] = numbers.try_into().ok()?;
    numbers.iter().all(|n| n.is_finite()).then_some(numbers)
}

/// The one number of `tag`.
pub fn number(object: &InMemDicomObject, tag: Tag) -> Option<f64> {
    numbers::<1>(object, tag).map(|[n]| n)
}

/// The one whole number of `tag`.
pub fn whole(object: &InMemDicomObject, tag: Tag) -> Option<i64> {
    object.get(tag)?.value().to_int().ok()
}

/// The items of the sequence `tag`; none when it is missing.
pub fn items(object: &InMemDicomObject, tag: Tag) -> &[InMemDicomObject] {
    object.get(tag).and_then(|element| element.items()).unwrap_or_default()
}
