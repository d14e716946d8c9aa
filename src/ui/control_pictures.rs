//! The control pictures `␀` to `␡`, drawn by us: hardly any font has them.
//!
//! Each is a small plate with the character's ASCII abbreviation cut out of it (`NUL`, `LF`, `ESC`), two monospace cells
//! wide, in letters of 3×5 dots that stay sharp at every size.

use egui::epaint::text::{GlyphBitmap, GlyphRasterizer, GlyphRasterizerRequest, RasterizedGlyph};
use egui::{Color32, ColorImage, Context, vec2};

/// Makes the control pictures known to `ctx`; [`super::fonts::install`] does.
pub fn install(ctx: &Context) {
    ctx.add_glyph_rasterizer(GlyphRasterizer::new("sockeye control pictures", rasterize));
}

fn rasterize(request: &GlyphRasterizerRequest<'_>) -> Option<RasterizedGlyph> {
    let mut chars = request.cluster.chars();
    let (picture, None) = (chars.next()?, chars.next()) else {
        return None;
    };
    let index = u32::from(picture).checked_sub(FIRST)?;
    let name = NAMES.get(index as usize)?;
    let size = request.font_size_px;
    let scale = ((size / DOTS_PER_EM).round() as usize).max(1);
    let (columns, rows) = (name.len() * 4 + 1, 7);
    let mut image = ColorImage::filled([columns * scale, rows * scale], Color32::TRANSPARENT);
    for y in 0..rows * scale {
        for x in 0..columns * scale {
            let (column, row) = (x / scale, y / scale);
            let is_corner = (column == 0 || column == columns - 1) && (row == 0 || row == rows - 1);
            if !is_corner && !is_cut_out(name, column, row) {
                image[(x, y)] = Color32::WHITE;
            }
        }
    }
    let [width, height] = image.size;
    let advance_px = 2.0 * CELL * size;
    let left = ((advance_px - width as f32) / 2.0).round().max(0.0);
    let top = -f32::midpoint(CAP_HEIGHT * size, height as f32).round();
    Some(RasterizedGlyph {
        bitmap: GlyphBitmap { image, offset_px: vec2(left, top), is_color: false },
        advance_px: advance_px.max(width as f32),
    })
}

/// Whether the letters of `name` leave a hole at this dot of the plate.
fn is_cut_out(name: &str, column: usize, row: usize) -> bool {
    let (Some(x), Some(y)) = (column.checked_sub(1), row.checked_sub(1)) else {
        return false;
    };
    let letter = name.as_bytes().get(x / 4);
    let dots = LETTERS.iter().find(|(of, _)| Some(of) == letter).and_then(|(_, rows)| rows.get(y));
    x % 4 < 3 && dots.is_some_and(|dots| dots >> (2 - x % 4) & 1 == 1)
}

const FIRST: u32 = 0x2400;
/// The abbreviations of RFC 20, then SP and DEL.
const NAMES: [&str; 34] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI", "DLE",
    "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US", "SP", "DEL",
];
/// Share of the font size that a monospace cell is wide, and that capitals are high, in Hack.
const CELL: f32 = 0.602;
const CAP_HEIGHT: f32 = 0.73;
/// A dot is one pixel at this size, two at twice that.
const DOTS_PER_EM: f32 = 13.0;
/// Five rows of three dots each.
const LETTERS: [(u8, [u8; 5]); 27] = [
    (b'A', [0b010, 0b101, 0b111, 0b101, 0b101]),
    (b'B', [0b110, 0b101, 0b110, 0b101, 0b110]),
    (b'C', [0b011, 0b100, 0b100, 0b100, 0b011]),
    (b'D', [0b110, 0b101, 0b101, 0b101, 0b110]),
    (b'E', [0b111, 0b100, 0b110, 0b100, 0b111]),
    (b'F', [0b111, 0b100, 0b110, 0b100, 0b100]),
    (b'G', [0b011, 0b100, 0b101, 0b101, 0b011]),
    (b'H', [0b101, 0b101, 0b111, 0b101, 0b101]),
    (b'I', [0b111, 0b010, 0b010, 0b010, 0b111]),
    (b'K', [0b101, 0b101, 0b110, 0b101, 0b101]),
    (b'L', [0b100, 0b100, 0b100, 0b100, 0b111]),
    (b'M', [0b101, 0b111, 0b111, 0b101, 0b101]),
    (b'N', [0b110, 0b101, 0b101, 0b101, 0b101]),
    (b'O', [0b111, 0b101, 0b101, 0b101, 0b111]),
    (b'P', [0b110, 0b101, 0b110, 0b100, 0b100]),
    (b'Q', [0b111, 0b101, 0b101, 0b111, 0b001]),
    (b'R', [0b110, 0b101, 0b110, 0b101, 0b101]),
    (b'S', [0b011, 0b100, 0b010, 0b001, 0b110]),
    (b'T', [0b111, 0b010, 0b010, 0b010, 0b010]),
    (b'U', [0b101, 0b101, 0b101, 0b101, 0b111]),
    (b'V', [0b101, 0b101, 0b101, 0b101, 0b010]),
    (b'X', [0b101, 0b101, 0b010, 0b101, 0b101]),
    (b'Y', [0b101, 0b101, 0b010, 0b010, 0b010]),
    (b'1', [0b010, 0b110, 0b010, 0b010, 0b111]),
    (b'2', [0b110, 0b001, 0b010, 0b100, 0b111]),
    (b'3', [0b110, 0b001, 0b010, 0b001, 0b110]),
    (b'4', [0b101, 0b101, 0b111, 0b001, 0b001]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use egui::FontFamily;

    fn draw(cluster: &str, font_size_px: f32) -> Option<RasterizedGlyph> {
        rasterize(&GlyphRasterizerRequest {
            cluster,
            family: &FontFamily::Monospace,
            font_size_px,
            subpixel_offset_px: 0.0,
        })
    }

    #[test]
    fn every_control_picture_is_drawn_with_all_its_letters() {
        for picture in '\u{2400}'..='\u{2421}' {
            assert!(draw(&picture.to_string(), 12.5).is_some(), "{picture:?}");
        }
        for letter in NAMES.iter().flat_map(|name| name.bytes()) {
            assert!(LETTERS.iter().any(|(of, _)| *of == letter), "{letter}");
        }
    }

    #[test]
    fn anything_else_is_left_to_the_fonts() {
        for cluster in ["", "a", "\u{2422}", "\u{23FF}", "␀␀"] {
            assert!(draw(cluster, 12.5).is_none(), "{cluster:?}");
        }
    }

    #[test]
    fn a_picture_is_two_cells_wide_and_grows_with_the_font() {
        let small = draw("␀", 12.5).expect("a picture");
        assert_eq!(small.bitmap.image.size, [13, 7]);
        assert!((small.advance_px - 15.05).abs() < 0.1);
        let large = draw("␊", 25.0).expect("a picture");
        assert_eq!(large.bitmap.image.size, [18, 14]);
    }
}
