"""Radiographs that nobody took, for measurements: the same ones at each call.

Libraries are imported where they are needed: `peers.py` measures how much memory its children take.
"""

#: Height and width of a detector's picture, in pixels.
NATIVE_SIZE = (2_560, 2_048)
#: Shortest and longest side of a small picture, in pixels.
SMALL = 96
LARGE = 512


def radiograph(random, height, width):
    """From 0 to 1: bright in the middle, broad shadows, fine noise, a dark border."""
    import cv2
    import numpy

    shadows = cv2.resize(
        random.random((9, 8), numpy.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    across = numpy.linspace(-1, 1, width, dtype=numpy.float32)
    down = numpy.linspace(-1, 1, height, dtype=numpy.float32)[:, None]
    body = numpy.exp(-2.5 * across**2 - 0.8 * down**2)
    noise = random.standard_normal((height, width), numpy.float32) * 0.012
    picture = numpy.clip(0.08 + 0.55 * body + 0.3 * shadows * body + noise, 0, 1)
    edge = max(min(height, width) // 40, 1)
    picture[:edge] = picture[-edge:] = 0
    picture[:, :edge] = picture[:, -edge:] = 0
    return picture


def make_native(place, number):
    import numpy
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    dx = "1.2.840.10008.5.1.4.1.1.1.1"
    height, width = NATIVE_SIZE
    for at in range(number):
        picture = radiograph(numpy.random.default_rng(at), height, width)
        stored = (picture * 4_095).astype("<u2")
        data = Dataset()
        data.SOPClassUID, data.Modality = dx, "DX"
        data.SOPInstanceUID = generate_uid(entropy_srcs=["peers", str(at)])
        data.StudyInstanceUID = generate_uid(entropy_srcs=["peers, study", str(at)])
        data.SeriesInstanceUID = generate_uid(entropy_srcs=["peers, series", str(at)])
        data.PatientID, data.PatientName = f"{at:05}", ""
        data.PresentationIntentType, data.BodyPartExamined = "FOR PRESENTATION", "CHEST"
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.Rows, data.Columns = height, width
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
        data.WindowCenter, data.WindowWidth = 2_048, 4_096
        data.PixelData = stored.tobytes()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.save_as(place / f"{at:05}.dcm", enforce_file_format=True)
    return {"what": f"{number} generated DX of {height} x {width}"}


def make_radiographs(place, number):
    import numpy
    import PIL.Image

    random = numpy.random.default_rng(20_261_129)
    for at in range(number):
        height, width = random.integers(SMALL, LARGE + 1, 2)
        picture = (radiograph(random, int(height), int(width)) * 255).astype(numpy.uint8)
        PIL.Image.fromarray(picture).save(place / f"{at:05}.png")
    return {"what": f"{number} generated PNG of {SMALL} to {LARGE} pixels a side"}
