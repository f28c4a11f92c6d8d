//! Transfer syntaxes of the standard (PS3.6, annex A, 2024d): how the data set and its pixels are
//! encoded.

use super::encoding::Encoding;

/// Root of all UIDs of the DICOM standard.
pub(crate) const STANDARD_ROOT: &str = "1.2.840.10008.";

/// How pixels are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// As they are, in one value.
    Native,
    /// As they are, a fragment a frame.
    EncapsulatedNative,
    /// PackBits by byte planes (PS3.5, annex G).
    Rle,
    /// JPEG process 1, 8 bit.
    JpegBaseline,
    /// JPEG processes 2 and 4, 8 or 12 bit.
    JpegExtended,
    /// JPEG process 14.
    JpegLossless,
    /// Retired JPEG processes.
    JpegOther,
    /// JPEG-LS.
    JpegLs,
    /// JPEG 2000, high throughput included.
    Jpeg2000,
    /// JPEG XL.
    JpegXl,
    /// MPEG, H.264, H.265, SMPTE streams.
    Video,
    /// A deflate stream a frame.
    DeflatedFrame,
    /// Pixels lie elsewhere, at a URL (JPIP).
    Referenced,
    /// Not binary at all.
    Text,
}

/// Whether compression loses something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Never.
    Never,
    /// It depends on the codestream.
    Maybe,
    /// Always.
    Always,
}

/// A transfer syntax of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferSyntax {
    /// Its UID.
    pub uid: &'static str,
    /// A short name.
    pub name: &'static str,
    /// How pixels are encoded.
    pub codec: Codec,
    /// Whether compression loses something.
    pub loss: Loss,
    /// True if the standard retired it.
    pub retired: bool,
}

impl TransferSyntax {
    /// How the elements of the data set are encoded.
    pub fn encoding(&self) -> Encoding {
        match self.uid {
            "1.2.840.10008.1.2" | "1.2.840.10008.1.20" => Encoding::IMPLICIT,
            "1.2.840.10008.1.2.2" => Encoding::BIG,
            _ => Encoding::EXPLICIT,
        }
    }

    /// True if the data set is one deflate stream.
    pub fn is_deflated(&self) -> bool {
        matches!(
            self.uid,
            "1.2.840.10008.1.2.1.99" | "1.2.840.10008.1.2.4.95" | "1.2.840.10008.1.2.4.205"
        )
    }

    /// True if pixel data are encapsulated: items in a sequence of undefined length.
    pub fn is_encapsulated(&self) -> bool {
        !matches!(self.codec, Codec::Native | Codec::Referenced | Codec::Text)
    }
}

/// The transfer syntax of this UID, if the standard has it.
///
/// ```
/// use luna_core::dicom::transfer_syntax;
/// assert_eq!(transfer_syntax("1.2.840.10008.1.2.5").unwrap().name, "RLE lossless");
/// assert!(transfer_syntax("1.2.840.113619.5.2").is_none());
/// ```
pub fn transfer_syntax(uid: &str) -> Option<&'static TransferSyntax> {
    TABLE.iter().find(|syntax| syntax.uid == uid)
}

/// A name for messages: `JPEG 2000 lossless (1.2.840.10008.1.2.4.90)`, `private (1.2.3)`.
pub fn describe(uid: &str) -> String {
    let shown = crate::text::shown(uid);
    match transfer_syntax(uid) {
        Some(syntax) => format!("{} ({uid})", syntax.name),
        None if uid.starts_with(STANDARD_ROOT) => format!("unknown ({shown})"),
        None => format!("private ({shown})"),
    }
}

macro_rules! table {
    ($($uid:literal $name:literal $codec:ident $loss:ident $state:ident)*) => {
        static TABLE: &[TransferSyntax] = &[$(TransferSyntax {
            uid: $uid,
            name: $name,
            codec: Codec::$codec,
            loss: Loss::$loss,
            retired: table!(@ $state),
        }),*];
    };
    (@ retired) => { true };
    (@ current) => { false };
}

table! {
    "1.2.840.10008.1.2" "implicit VR little endian" Native Never current
    "1.2.840.10008.1.2.1" "explicit VR little endian" Native Never current
    "1.2.840.10008.1.2.1.98" "encapsulated uncompressed explicit VR little endian" EncapsulatedNative Never current
    "1.2.840.10008.1.2.1.99" "deflated explicit VR little endian" Native Never current
    "1.2.840.10008.1.2.2" "explicit VR big endian" Native Never retired
    "1.2.840.10008.1.2.4.50" "JPEG baseline" JpegBaseline Always current
    "1.2.840.10008.1.2.4.51" "JPEG extended (12 bit)" JpegExtended Always current
    "1.2.840.10008.1.2.4.52" "JPEG Extended (Process 3 and 5)" JpegOther Always retired
    "1.2.840.10008.1.2.4.53" "JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)" JpegOther Always retired
    "1.2.840.10008.1.2.4.54" "JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9)" JpegOther Always retired
    "1.2.840.10008.1.2.4.55" "JPEG Full Progression, Non-Hierarchical (Process 10 and 12)" JpegOther Always retired
    "1.2.840.10008.1.2.4.56" "JPEG Full Progression, Non-Hierarchical (Process 11 and 13)" JpegOther Always retired
    "1.2.840.10008.1.2.4.57" "JPEG lossless" JpegLossless Never current
    "1.2.840.10008.1.2.4.58" "JPEG Lossless, Non-Hierarchical (Process 15)" JpegOther Never retired
    "1.2.840.10008.1.2.4.59" "JPEG Extended, Hierarchical (Process 16 and 18)" JpegOther Always retired
    "1.2.840.10008.1.2.4.60" "JPEG Extended, Hierarchical (Process 17 and 19)" JpegOther Always retired
    "1.2.840.10008.1.2.4.61" "JPEG Spectral Selection, Hierarchical (Process 20 and 22)" JpegOther Always retired
    "1.2.840.10008.1.2.4.62" "JPEG Spectral Selection, Hierarchical (Process 21 and 23)" JpegOther Always retired
    "1.2.840.10008.1.2.4.63" "JPEG Full Progression, Hierarchical (Process 24 and 26)" JpegOther Always retired
    "1.2.840.10008.1.2.4.64" "JPEG Full Progression, Hierarchical (Process 25 and 27)" JpegOther Always retired
    "1.2.840.10008.1.2.4.65" "JPEG Lossless, Hierarchical (Process 28)" JpegOther Never retired
    "1.2.840.10008.1.2.4.66" "JPEG Lossless, Hierarchical (Process 29)" JpegOther Never retired
    "1.2.840.10008.1.2.4.70" "JPEG lossless, first-order prediction" JpegLossless Never current
    "1.2.840.10008.1.2.4.80" "JPEG-LS lossless" JpegLs Never current
    "1.2.840.10008.1.2.4.81" "JPEG-LS near-lossless" JpegLs Maybe current
    "1.2.840.10008.1.2.4.90" "JPEG 2000 lossless" Jpeg2000 Never current
    "1.2.840.10008.1.2.4.91" "JPEG 2000" Jpeg2000 Maybe current
    "1.2.840.10008.1.2.4.92" "JPEG 2000 multi-component lossless" Jpeg2000 Never current
    "1.2.840.10008.1.2.4.93" "JPEG 2000 multi-component" Jpeg2000 Maybe current
    "1.2.840.10008.1.2.4.94" "JPIP Referenced" Referenced Never current
    "1.2.840.10008.1.2.4.95" "JPIP Referenced Deflate" Referenced Never current
    "1.2.840.10008.1.2.4.100" "MPEG2 Main Profile / Main Level" Video Always current
    "1.2.840.10008.1.2.4.100.1" "Fragmentable MPEG2 Main Profile / Main Level" Video Always current
    "1.2.840.10008.1.2.4.101" "MPEG2 Main Profile / High Level" Video Always current
    "1.2.840.10008.1.2.4.101.1" "Fragmentable MPEG2 Main Profile / High Level" Video Always current
    "1.2.840.10008.1.2.4.102" "MPEG-4 AVC/H.264 High Profile / Level 4.1" Video Always current
    "1.2.840.10008.1.2.4.102.1" "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1" Video Always current
    "1.2.840.10008.1.2.4.103" "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1" Video Always current
    "1.2.840.10008.1.2.4.103.1" "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1" Video Always current
    "1.2.840.10008.1.2.4.104" "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video" Video Always current
    "1.2.840.10008.1.2.4.104.1" "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video" Video Always current
    "1.2.840.10008.1.2.4.105" "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video" Video Always current
    "1.2.840.10008.1.2.4.105.1" "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video" Video Always current
    "1.2.840.10008.1.2.4.106" "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2" Video Always current
    "1.2.840.10008.1.2.4.106.1" "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2" Video Always current
    "1.2.840.10008.1.2.4.107" "HEVC/H.265 Main Profile / Level 5.1" Video Always current
    "1.2.840.10008.1.2.4.108" "HEVC/H.265 Main 10 Profile / Level 5.1" Video Always current
    "1.2.840.10008.1.2.4.110" "JPEG XL lossless" JpegXl Never current
    "1.2.840.10008.1.2.4.111" "JPEG XL JPEG Recompression" JpegXl Maybe current
    "1.2.840.10008.1.2.4.112" "JPEG XL" JpegXl Maybe current
    "1.2.840.10008.1.2.4.201" "HTJ2K lossless" Jpeg2000 Never current
    "1.2.840.10008.1.2.4.202" "HTJ2K lossless, RPCL" Jpeg2000 Never current
    "1.2.840.10008.1.2.4.203" "HTJ2K" Jpeg2000 Maybe current
    "1.2.840.10008.1.2.4.204" "JPIP HTJ2K Referenced" Referenced Never current
    "1.2.840.10008.1.2.4.205" "JPIP HTJ2K Referenced Deflate" Referenced Never current
    "1.2.840.10008.1.2.5" "RLE lossless" Rle Never current
    "1.2.840.10008.1.2.6.1" "RFC 2557 MIME encapsulation" Text Never retired
    "1.2.840.10008.1.2.6.2" "XML encoding" Text Never retired
    "1.2.840.10008.1.2.7.1" "SMPTE ST 2110-20 Uncompressed Progressive Active Video" Video Never current
    "1.2.840.10008.1.2.7.2" "SMPTE ST 2110-20 Uncompressed Interlaced Active Video" Video Never current
    "1.2.840.10008.1.2.7.3" "SMPTE ST 2110-30 PCM Digital Audio" Video Never current
    "1.2.840.10008.1.2.8.1" "deflated image frame compression" DeflatedFrame Never current
    "1.2.840.10008.1.20" "Papyrus 3 implicit VR little endian" Native Never retired
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_private_syntaxes_are_told_apart() {
        assert_eq!(
            describe("1.2.840.10008.1.2.4.90"),
            "JPEG 2000 lossless (1.2.840.10008.1.2.4.90)"
        );
        assert_eq!(describe("1.2.840.10008.1.2.4.999"), "unknown (1.2.840.10008.1.2.4.999)");
        assert_eq!(describe("1.2.840.113619.5.2"), "private (1.2.840.113619.5.2)");
    }

    #[test]
    fn a_uid_stands_in_the_table_once() {
        let mut uids: Vec<_> = TABLE.iter().map(|syntax| syntax.uid).collect();
        uids.sort_unstable();
        uids.dedup();
        assert_eq!(uids.len(), TABLE.len());
    }
}
