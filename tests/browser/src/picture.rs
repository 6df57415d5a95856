//! Pictures made small: a page has few colours, and what smooths its letters can do with fewer.

use std::collections::HashMap;

/// A PNG of the browser with at most 256 colours: as few bits of each are dropped as that takes.
///
/// # Panics
/// If it is no PNG with 8 bits of red, green and blue.
pub fn small(picture: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().expect("a PNG");
    let mut octets = vec![0; reader.output_buffer_size().expect("a size that fits")];
    let info = reader.next_frame(&mut octets).expect("a PNG");
    assert_eq!(info.bit_depth, png::BitDepth::Eight);
    let samples = info.color_type.samples();
    let pixels: Vec<[u8; 3]> = octets[..info.buffer_size()]
        .chunks_exact(samples)
        .map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect();
    let (colours, indices) =
        (0..8).find_map(|dropped| indexed(&pixels, dropped)).expect("one bit of each makes eight colours");
    let mut small = Vec::new();
    let mut encoder = png::Encoder::new(&mut small, info.width, info.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(colours.concat());
    encoder.set_compression(png::Compression::High);
    // Neighbours of an index say nothing about it.
    encoder.set_filter(png::Filter::NoFilter);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&indices)).expect("a PNG in memory");
    small
}

/// Colours without their lowest bits, and for each pixel which it has; none if they are more than 256.
fn indexed(pixels: &[[u8; 3]], dropped: u32) -> Option<(Vec<[u8; 3]>, Vec<u8>)> {
    let (mut colours, mut numbers) = (Vec::new(), HashMap::new());
    let mut indices = Vec::with_capacity(pixels.len());
    for pixel in pixels {
        let index = match numbers.get(&pixel.map(|value| value >> dropped)) {
            Some(index) => *index,
            None => {
                let index = u8::try_from(colours.len()).ok()?;
                // The first that comes stands for all that differ from it so little: large areas stay as they are.
                colours.push(*pixel);
                numbers.insert(pixel.map(|value| value >> dropped), index);
                index
            }
        };
        indices.push(index);
    }
    Some((colours, indices))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colours_stay_as_they_are_and_many_become_few() {
        let few = [[1, 2, 3], [250, 2, 3], [1, 2, 3]];
        let (colours, indices) = indexed(&few, 0).unwrap();
        assert_eq!((colours, indices), (vec![[1, 2, 3], [250, 2, 3]], vec![0, 1, 0]));
        let many: Vec<[u8; 3]> = (0..=255).flat_map(|red| [[red, 0, 0], [red, 255, 0]]).collect();
        assert!(indexed(&many, 0).is_none());
        assert_eq!(indexed(&many, 1).unwrap().0.len(), 256);
    }
}
