//! Every kind of file that LUNA can name, with how it is called and how its names end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What LUNA can do with a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// A picture that is decoded here.
    Picture,
    /// A picture that is known but not decoded.
    OtherPicture,
    /// An archive or compressed file: not opened inside a data set.
    Archive,
    /// A table.
    Table,
    /// Anything else that can be named.
    Other,
}

macro_rules! formats {
    ($($variant:ident $id:literal $title:literal $family:ident [$($extension:literal)*])*) => {
        /// A file format, told by the bytes.
        ///
        /// ```
        /// use luna_core::Format;
        /// assert_eq!(Format::Jpeg2000.title(), "JPEG 2000");
        /// assert_eq!(Format::Jpeg.extensions(), ["jpg", "jpeg", "jpe", "jfif"]);
        /// ```
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        pub enum Format {
            $(
                #[doc = $title]
                #[serde(rename = $id)]
                $variant,
            )*
        }

        impl Format {
            /// All formats, in the order in which they are declared.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word used in reports and profiles.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// The name for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// Usual file name extensions, in lower case; the first is the commonest.
            pub const fn extensions(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($extension),*]),* }
            }

            /// What LUNA can do with it.
            pub const fn family(self) -> Family {
                match self { $(Self::$variant => Family::$family),* }
            }
        }
    };
}

formats! {
    Dicom "dicom" "DICOM" Picture ["dcm" "dicom" "dic" "ima"]
    Png "png" "PNG" Picture ["png"]
    Jpeg "jpeg" "JPEG" Picture ["jpg" "jpeg" "jpe" "jfif"]
    Tiff "tiff" "TIFF" Picture ["tif" "tiff"]
    Bmp "bmp" "BMP" Picture ["bmp" "dib"]
    Jpeg2000 "jpeg2000" "JPEG 2000" Picture ["jp2" "j2k" "j2c" "jpc" "jpf" "jpx" "jph" "jhc"]
    JpegLs "jpegls" "JPEG-LS" OtherPicture ["jls"]
    JpegXl "jpegxl" "JPEG XL" OtherPicture ["jxl"]
    JpegXr "jpegxr" "JPEG XR" OtherPicture ["jxr" "wdp" "hdp"]
    Gif "gif" "GIF" OtherPicture ["gif"]
    WebP "webp" "WebP" OtherPicture ["webp"]
    Heif "heif" "HEIF or AVIF" OtherPicture ["heic" "heif" "avif"]
    Svg "svg" "SVG" OtherPicture ["svg"]
    Pnm "pnm" "PNM (PBM, PGM, PPM)" OtherPicture ["pgm" "ppm" "pbm" "pnm" "pam"]
    Nifti "nifti" "NIfTI" OtherPicture ["nii"]
    Nrrd "nrrd" "NRRD" OtherPicture ["nrrd"]
    MetaImage "metaimage" "MetaImage" OtherPicture ["mha" "mhd"]
    Numpy "numpy" "NumPy array" OtherPicture ["npy"]
    Photoshop "psd" "Photoshop" OtherPicture ["psd"]
    Zip "zip" "ZIP archive" Archive ["zip" "npz" "docx" "xlsx" "pptx" "odt" "jar"]
    Tar "tar" "tar archive" Archive ["tar"]
    Gzip "gzip" "gzip file" Archive ["gz" "tgz"]
    Zstd "zstd" "Zstandard file" Archive ["zst" "tzst"]
    Bzip2 "bzip2" "bzip2 file" Archive ["bz2" "tbz2"]
    Xz "xz" "xz file" Archive ["xz" "txz"]
    SevenZip "7z" "7-Zip archive" Archive ["7z"]
    Rar "rar" "RAR archive" Archive ["rar"]
    Csv "csv" "CSV table" Table ["csv"]
    Tsv "tsv" "TSV table" Table ["tsv" "tab"]
    Json "json" "JSON document" Table ["json" "jsonl" "ndjson" "geojson"]
    Parquet "parquet" "Parquet table" Table ["parquet" "pq"]
    Pdf "pdf" "PDF document" Other ["pdf"]
    Xml "xml" "XML document" Other ["xml"]
    Html "html" "HTML page" Other ["html" "htm" "xhtml"]
    Hdf5 "hdf5" "HDF5 or MATLAB 7.3 file" Other ["h5" "hdf5" "mat"]
    Sqlite "sqlite" "SQLite database" Other ["sqlite" "db" "sqlite3"]
    Elf "elf" "Linux program" Other ["so" "elf"]
    WindowsExe "exe" "Windows program" Other ["exe" "dll" "scr"]
    Video "video" "video" Other ["mp4" "mov" "avi" "mkv" "m4v"]
    Text "text" "plain text" Other ["txt" "md" "rst" "log" "cff" "bib" "py" "yaml" "yml" "toml"]
}
