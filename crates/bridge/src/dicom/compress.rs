//! Lossless compression before sending: JPEG-LS, the one lossless CT syntax that can be written
//! here (there is no JPEG 2000 encoder in Rust).

use super::compose::IMPLEMENTATION;
use super::instance::read_instance;
use super::parse;
use super::pixels::{chain, meta};
use super::refusal::Refused;
use super::write::File;
use dicom_core::DataElement;
use dicom_core::VR;
use dicom_core::value::PixelFragmentSequence;
use dicom_dictionary_std::{tags, uids};
use dicom_encoding::TransferSyntax;
use dicom_encoding::adapters::EncodeOptions;
use dicom_encoding::transfer_syntax::{Codec, TransferSyntaxIndex};
use dicom_object::FileMetaTableBuilder;
use dicom_transfer_syntax_registry::TransferSyntaxRegistry;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The same CT image in JPEG-LS lossless. The result is decoded again and compared: a file whose CT
/// numbers would differ, or that is compressed already, is given back as it is.
pub fn compress(file: &File) -> Result<File, Refused> {
    let before = read_instance(&file.bytes)?;
    let native = [uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::IMPLICIT_VR_LITTLE_ENDIAN];
    if !native.contains(&before.syntax.as_str()) {
        return Ok(file.clone());
    }
    let bytes = encoded(file, &before.sop_class, &before.slice.instance)?;
    let same = read_instance(&bytes).is_ok_and(|after| after.slice == before.slice);
    Ok(if same { File { name: file.name.clone(), bytes } } else { file.clone() })
}

fn encoded(file: &File, class: &str, instance: &str) -> Result<Vec<u8>, Refused> {
    let failed = |why: String| Refused::Undecodable { syntax: "JPEG-LS lossless".into(), why };
    let parsed = parse::file(&file.bytes)?;
    let source = parsed.object.with_exact_meta(meta(&parsed.syntax));
    let known = TransferSyntaxRegistry.get(uids::JPEGLS_LOSSLESS).map(TransferSyntax::codec);
    let Some(Codec::EncapsulatedPixelData(_, Some(writer))) = known else {
        return Err(failed("no encoder".into()));
    };
    let mut fragment = Vec::new();
    let options = EncodeOptions::default();
    // As with the decoders: a fault in a foreign encoder must not end the process.
    let outcome =
        catch_unwind(AssertUnwindSafe(|| writer.encode_frame(&source, 0, options, &mut fragment)));
    match outcome {
        Ok(Ok(_)) => (),
        Ok(Err(error)) => return Err(failed(chain(&error))),
        Err(_) => return Err(failed("the encoder failed".into())),
    }
    if fragment.len() % 2 == 1 {
        fragment.push(0);
    }
    let mut object = source.into_inner();
    let fragments = PixelFragmentSequence::new(Vec::new(), vec![fragment]);
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, fragments));
    let meta = FileMetaTableBuilder::new()
        .media_storage_sop_class_uid(class)
        .media_storage_sop_instance_uid(instance)
        .transfer_syntax(uids::JPEGLS_LOSSLESS)
        .implementation_class_uid(IMPLEMENTATION)
        .implementation_version_name("TELEHAND");
    let whole = object.with_meta(meta).map_err(|error| failed(chain(&error)))?;
    let mut bytes = Vec::new();
    whole.write_all(&mut bytes).map_err(|error| failed(chain(&error)))?;
    Ok(bytes)
}
