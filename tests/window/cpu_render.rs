//! Pictures of the window without a GPU, a driver or a display: egui's triangles, filled one pixel at a time.
//!
//! Blends as egui's own backends do: premultiplied alpha, in gamma space, textures sampled linearly.

use egui::epaint::{ImageData, ImageDelta, Mesh, Primitive, Vertex};
use egui::{Color32, Context, FullOutput, Pos2, Rect, TextureFilter, TextureId, TexturesDelta};
use egui_kittest::TestRenderer;
use image::{Rgba, RgbaImage};
use std::collections::HashMap;

/// Draws what a harness shows into memory.
#[derive(Default)]
pub(crate) struct CpuRenderer {
    textures: HashMap<TextureId, Texture>,
}

impl TestRenderer for CpuRenderer {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        for (id, images) in delta.set.drain() {
            for image in images {
                self.set(id, &image);
            }
        }
        for id in delta.free.drain() {
            self.textures.remove(&id);
        }
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let scale = ctx.pixels_per_point();
        let size = (ctx.content_rect().size() * scale).round();
        let mut canvas = Canvas::new(size.x as usize, size.y as usize, ctx.global_style().visuals.panel_fill);
        for primitive in ctx.tessellate(output.shapes.clone(), scale) {
            let Primitive::Mesh(mesh) = &primitive.primitive else {
                return Err("a paint callback cannot be drawn on the CPU".to_owned());
            };
            let texture =
                self.textures.get(&mesh.texture_id).ok_or_else(|| format!("no texture {:?}", mesh.texture_id))?;
            canvas.fill(mesh, texture, primitive.clip_rect * scale, scale);
        }
        Ok(canvas.into_image())
    }
}

impl CpuRenderer {
    fn set(&mut self, id: TextureId, delta: &ImageDelta) {
        let ImageData::Color(image) = &delta.image;
        let [width, height] = image.size;
        let Some([left, top]) = delta.pos else {
            let texture = Texture {
                width,
                height,
                pixels: image.pixels.clone(),
                is_linear: delta.options.magnification == TextureFilter::Linear,
            };
            self.textures.insert(id, texture);
            return;
        };
        let Some(texture) = self.textures.get_mut(&id) else {
            return;
        };
        for (row, pixels) in image.pixels.chunks_exact(width).enumerate() {
            let start = (top + row) * texture.width + left;
            texture.pixels[start..start + width].copy_from_slice(pixels);
        }
    }
}

struct Texture {
    width: usize,
    height: usize,
    pixels: Vec<Color32>,
    is_linear: bool,
}

impl Texture {
    fn sample(&self, at: Pos2) -> Colour {
        let x = at.x * self.width as f32 - 0.5;
        let y = at.y * self.height as f32 - 0.5;
        if !self.is_linear {
            return self.pixel(x.round(), y.round());
        }
        let (left, top) = (x.floor(), y.floor());
        let mix = |a: Colour, b: Colour, share: f32| std::array::from_fn(|i| a[i] + (b[i] - a[i]) * share);
        let row = |y: f32| mix(self.pixel(left, y), self.pixel(left + 1.0, y), x - left);
        mix(row(top), row(top + 1.0), y - top)
    }

    fn pixel(&self, x: f32, y: f32) -> Colour {
        let x = (x.max(0.0) as usize).min(self.width - 1);
        let y = (y.max(0.0) as usize).min(self.height - 1);
        unit(self.pixels[y * self.width + x])
    }
}

/// Premultiplied red, green, blue and alpha, from 0 to 1.
type Colour = [f32; 4];

struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Colour>,
}

impl Canvas {
    fn new(width: usize, height: usize, behind: Color32) -> Self {
        Self { width, height, pixels: vec![unit(behind); width * height] }
    }

    fn fill(&mut self, mesh: &Mesh, texture: &Texture, clip: Rect, scale: f32) {
        let screen = Rect::from_min_size(Pos2::ZERO, egui::vec2(self.width as f32, self.height as f32));
        let clip = Rect::from_min_max(clip.min.round(), clip.max.round()).intersect(screen);
        for corners in mesh.indices.chunks_exact(3) {
            let corners = [corners[0], corners[1], corners[2]].map(|index| {
                let corner = mesh.vertices[index as usize];
                Vertex { pos: corner.pos * scale, ..corner }
            });
            if let Some(triangle) = Triangle::new(corners) {
                self.fill_triangle(&triangle, texture, clip);
            }
        }
    }

    fn fill_triangle(&mut self, triangle: &Triangle, texture: &Texture, clip: Rect) {
        let area = triangle.bounds().intersect(clip);
        if !area.is_positive() {
            return;
        }
        let flat = triangle.is_flat().then(|| triangle.colour([1.0, 0.0, 0.0], texture));
        for y in area.top().floor() as usize..area.bottom().ceil() as usize {
            for x in area.left().floor() as usize..area.right().ceil() as usize {
                let at = egui::pos2(x as f32 + 0.5, y as f32 + 0.5);
                let Some(weights) = triangle.weights(at) else {
                    continue;
                };
                let over = flat.unwrap_or_else(|| triangle.colour(weights, texture));
                let under = &mut self.pixels[y * self.width + x];
                *under = std::array::from_fn(|i| over[i] + under[i] * (1.0 - over[3]));
            }
        }
    }

    fn into_image(self) -> RgbaImage {
        let mut image = RgbaImage::new(self.width as u32, self.height as u32);
        for (pixel, colour) in image.pixels_mut().zip(self.pixels) {
            *pixel = Rgba(colour.map(|share| (share * 255.0).round().clamp(0.0, 255.0) as u8));
        }
        image
    }
}

/// Three corners, clockwise on the screen.
struct Triangle {
    corners: [Vertex; 3],
    area: f32,
}

impl Triangle {
    fn new(mut corners: [Vertex; 3]) -> Option<Self> {
        let mut area = side(corners[0].pos, corners[1].pos, corners[2].pos);
        if area < 0.0 {
            corners.swap(1, 2);
            area = -area;
        }
        (area > 0.0).then_some(Self { corners, area })
    }

    fn bounds(&self) -> Rect {
        Rect::from_points(&self.corners.map(|corner| corner.pos))
    }

    fn is_flat(&self) -> bool {
        let [a, b, c] = &self.corners;
        (a.uv, a.color) == (b.uv, b.color) && (a.uv, a.color) == (c.uv, c.color)
    }

    /// How much each corner counts at a point; `None` outside. A shared edge belongs to one side only.
    fn weights(&self, at: Pos2) -> Option<[f32; 3]> {
        let mut weights = [0.0; 3];
        for (index, weight) in weights.iter_mut().enumerate() {
            let from = self.corners[(index + 1) % 3].pos;
            let to = self.corners[(index + 2) % 3].pos;
            let share = side(from, to, at);
            let edge = to - from;
            let is_top_left = edge.y < 0.0 || (edge.y == 0.0 && edge.x > 0.0);
            if share < 0.0 || (share == 0.0 && !is_top_left) {
                return None;
            }
            *weight = share / self.area;
        }
        Some(weights)
    }

    fn colour(&self, weights: [f32; 3], texture: &Texture) -> Colour {
        let mut uv = egui::Vec2::ZERO;
        let mut tint = [0.0; 4];
        for (corner, weight) in self.corners.iter().zip(weights) {
            uv += corner.uv.to_vec2() * weight;
            for (sum, share) in tint.iter_mut().zip(unit(corner.color)) {
                *sum += share * weight;
            }
        }
        let texel = texture.sample(uv.to_pos2());
        std::array::from_fn(|i| tint[i] * texel[i])
    }
}

/// Twice the area to the right of the way from `a` to `b`, as seen from `at`.
fn side(a: Pos2, b: Pos2, at: Pos2) -> f32 {
    (b.x - a.x) * (at.y - a.y) - (b.y - a.y) * (at.x - a.x)
}

fn unit(colour: Color32) -> Colour {
    colour.to_array().map(|channel| f32::from(channel) / 255.0)
}
