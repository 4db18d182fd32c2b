//! Pictures of the window without a screen: egui's triangles, filled on the processor.
//!
//! The one idea: egui hands over finished meshes (vertices, colours, places in a texture), so drawing them takes a
//! triangle filler and nothing more. It follows `egui_glow`: positions in 1/256 pixel, pixels belong to a triangle by
//! their centre (top-left rule), vertex colour times texel, premultiplied and in gamma space, filters that look up at
//! the half-texel like GL, clip rectangles rounded to whole pixels.
//!
//! Why our own: `egui_software_backend`, the crate for it, follows egui 0.34 and would hold every upgrade of egui back;
//! a GPU in tests means lavapipe, a system package, and other pixels with the next Mesa. What is needed here fits in
//! one file without unsafe code.
//!
//! The same input gives the same bytes on every machine: whole numbers decide which pixels are filled, and colours use
//! `+ - *` and one division of `f32`, which IEEE 754 rounds in one way only; no threads, no platform float functions.
//! What egui puts in is its own affair: glyphs are drawn by `vello_cpu`, which uses fused multiply-add where the
//! processor has it, so pictures with text may differ by a step of grey between processors. Keep exact hashes for
//! pictures without text, or compare with a tolerance.
//!
//! Deliberately not here: paint callbacks, mipmaps, and the dithering of the window (noise makes pictures large and is
//! no help in comparing them).

use std::collections::BTreeMap;

use egui::{
    ClippedPrimitive, Color32, ImageData, Mesh, Rect, TextureFilter, TextureId, TextureOptions, TextureWrapMode,
    TexturesDelta, epaint::Primitive,
};

/// Steps of a pixel that positions are rounded to. Source: sub-pixel bits of common GPUs and of llvmpipe (8).
const SUBPIXELS: i64 = 256;

/// Farthest position from the origin, in steps of [`SUBPIXELS`]: a million pixels, so that products of two distances
/// stay far inside `i64`.
const FARTHEST: f32 = (1_i64 << 28) as f32;

/// A picture that egui's meshes are painted on, with the textures they use.
#[derive(Debug)]
pub struct Raster {
    size: [usize; 2],
    pixels: Vec<[u8; 4]>,
    textures: BTreeMap<TextureId, Texture>,
    freed: Vec<TextureId>,
}

#[derive(Debug)]
struct Texture {
    size: [usize; 2],
    texels: Vec<Color32>,
    options: TextureOptions,
}

/// A vertex in the filler's terms.
#[derive(Clone, Copy)]
struct Corner {
    /// In steps of [`SUBPIXELS`].
    pos: [i64; 2],
    /// In texels.
    uv: [f32; 2],
    /// 0.0..=255.0, premultiplied.
    color: [f32; 4],
}

/// Pixels that may be touched: from the first pair up to, without, the second.
#[derive(Clone, Copy)]
struct Clip {
    min: [i64; 2],
    max: [i64; 2],
}

impl Raster {
    /// A transparent picture; a size of 0 counts as 1.
    pub fn new(width_px: u32, height_px: u32) -> Self {
        let size = [width_px.max(1) as usize, height_px.max(1) as usize];
        Self { size, pixels: vec![[0; 4]; size[0] * size[1]], textures: BTreeMap::new(), freed: Vec::new() }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// The picture: rows from the top, RGBA, 8 bits each, premultiplied.
    pub fn rgba(&self) -> &[u8] {
        self.pixels.as_flattened()
    }

    /// One pixel, premultiplied; none outside of the picture.
    pub fn pixel(&self, x: usize, y: usize) -> Option<Color32> {
        let [r, g, b, a] = *self.pixels.get(y * self.size[0] + x).filter(|_| x < self.size[0])?;
        Some(Color32::from_rgba_premultiplied(r, g, b, a))
    }

    /// Takes over new, changed and freed textures; each frame's changes have to come by here, in order.
    ///
    /// Freed ones stay until after the next [`Raster::paint`], which may still use them. The caller clears the delta:
    /// egui panics over a dropped one that is not empty.
    pub fn apply_textures(&mut self, delta: &TexturesDelta) {
        self.free();
        // Hash order, but each texture is changed by its own entry alone.
        for (id, changes) in &delta.set {
            for change in changes {
                let ImageData::Color(image) = &change.image;
                if let Some(at) = change.pos {
                    if let Some(texture) = self.textures.get_mut(id) {
                        texture.options = change.options;
                        texture.patch(at, image.size, &image.pixels);
                    }
                } else {
                    let texture = Texture { size: image.size, texels: image.pixels.clone(), options: change.options };
                    self.textures.insert(*id, texture);
                }
            }
        }
        self.freed.extend(&delta.free);
    }

    /// Fills the picture with a colour and paints meshes over it, in order; paint callbacks are left out.
    ///
    /// `pixels_per_point` has to be the one they were tessellated at. Meshes with an unknown texture, or with indices
    /// beyond their vertices, are left out as well.
    pub fn paint(&mut self, pixels_per_point: f32, primitives: &[ClippedPrimitive], clear: Color32) {
        self.pixels.fill(clear.to_array());
        let mut corners = Vec::new();
        for ClippedPrimitive { clip_rect, primitive } in primitives {
            let clip = self.clip(pixels_per_point, *clip_rect);
            let Primitive::Mesh(mesh) = primitive else { continue };
            let Some(texture) = self.textures.get(&mesh.texture_id).filter(|texture| !texture.texels.is_empty()) else {
                continue;
            };
            corners_of(mesh, pixels_per_point, texture, &mut corners);
            for triangle in mesh.indices.chunks_exact(3) {
                let corner = |at: usize| corners.get(triangle[at] as usize).copied().flatten();
                if let (Some(a), Some(b), Some(c)) = (corner(0), corner(1), corner(2)) {
                    fill(&mut self.pixels, self.size[0], clip, texture, [a, b, c]);
                }
            }
        }
        self.free();
    }

    /// The picture as a PNG file, with straight alpha as that format wants it.
    ///
    /// # Panics
    ///
    /// Never: the picture has its size, and a vector takes all that is written.
    pub fn to_png(&self) -> Vec<u8> {
        let mut straight: Vec<[u8; 4]> = self.pixels.clone();
        for pixel in straight.iter_mut().filter(|pixel| pixel[3] != 255) {
            let alpha = u32::from(pixel[3]).max(1);
            for channel in &mut pixel[..3] {
                *channel = u8::try_from((u32::from(*channel) * 255 + alpha / 2) / alpha).unwrap_or(255);
            }
        }
        let mut out = Vec::new();
        let written = (|| {
            let mut encoder = png::Encoder::new(&mut out, self.size[0] as u32, self.size[1] as u32);
            encoder.set_color(png::ColorType::Rgba);
            encoder.set_depth(png::BitDepth::Eight);
            encoder.set_source_srgb(png::SrgbRenderingIntent::Perceptual);
            let mut writer = encoder.write_header()?;
            writer.write_image_data(straight.as_flattened())?;
            writer.finish()
        })();
        written.unwrap_or_else(|e| unreachable!("a picture of the right size goes into a vector: {e}"));
        out
    }

    fn free(&mut self) {
        for id in self.freed.drain(..) {
            self.textures.remove(&id);
        }
    }

    fn clip(&self, pixels_per_point: f32, rect: Rect) -> Clip {
        // `f32::round` is exact, and the cast saturates: `Rect::EVERYTHING` is infinite.
        let edge = |points: f32, least: i64, most: usize| {
            ((pixels_per_point * points).round() as i64).clamp(least, (most as i64).max(least))
        };
        let min = [edge(rect.min.x, 0, self.size[0]), edge(rect.min.y, 0, self.size[1])];
        let max = [edge(rect.max.x, min[0], self.size[0]), edge(rect.max.y, min[1], self.size[1])];
        Clip { min, max }
    }
}

impl Texture {
    fn patch(&mut self, at: [usize; 2], size: [usize; 2], texels: &[Color32]) {
        if at[0] + size[0] > self.size[0] || at[1] + size[1] > self.size[1] || size[0] == 0 {
            return;
        }
        for (row, new) in texels.chunks_exact(size[0]).enumerate() {
            let start = (at[1] + row) * self.size[0] + at[0];
            self.texels[start..start + size[0]].copy_from_slice(new);
        }
    }

    fn texel(&self, x: i64, y: i64) -> [u8; 4] {
        let [x, y] = [wrap(x, self.size[0], self.options.wrap_mode), wrap(y, self.size[1], self.options.wrap_mode)];
        self.texels[y * self.size[0] + x].to_array()
    }

    /// The colour at a place in texels, 0.0..=255.0. Places between texels are rounded to 1/256, as GPUs do, so that a
    /// picture drawn one texel to one pixel comes out exactly as it is.
    fn sample(&self, [u, v]: [f32; 2], filter: TextureFilter) -> [f32; 4] {
        if filter == TextureFilter::Nearest {
            return self.texel(floor(u), floor(v)).map(f32::from);
        }
        let [u, v] = [floor(u * 256.0 + 0.5) - 128, floor(v * 256.0 + 0.5) - 128];
        let [x, y] = [u >> 8, v >> 8];
        let [right, down] = [(u & 255) as u32, (v & 255) as u32];
        let near = self.texel(x, y);
        if right == 0 && down == 0 {
            return near.map(f32::from);
        }
        let four = [near, self.texel(x + 1, y), self.texel(x, y + 1), self.texel(x + 1, y + 1)];
        if four == [[0; 4]; 4] {
            return [0.0; 4];
        }
        std::array::from_fn(|i| {
            let [a, b, c, d] = four.map(|texel| u32::from(texel[i]));
            let above = a * (256 - right) + b * right;
            let below = c * (256 - right) + d * right;
            (above * (256 - down) + below * down) as f32 * (1.0 / 65536.0)
        })
    }

    /// Whether a triangle shows the texture smaller than it is: GL then takes the other filter.
    fn filter(&self, [a, b, c]: &[Corner; 3], area: i64) -> TextureFilter {
        let options = &self.options;
        if options.minification == options.magnification {
            return options.magnification;
        }
        // Texels per pixel along x and y, squared; GL compares the larger with 1.
        let scale = SUBPIXELS as f32 / area as f32;
        let along = |axis: usize, i: usize| {
            let [to_b, to_c] = [(b.pos[axis] - a.pos[axis]) as f32, (c.pos[axis] - a.pos[axis]) as f32];
            ((b.uv[i] - a.uv[i]) * to_c - (c.uv[i] - a.uv[i]) * to_b) * scale
        };
        let squared = |axis: usize| along(axis, 0) * along(axis, 0) + along(axis, 1) * along(axis, 1);
        if squared(0) > 1.0 || squared(1) > 1.0 { options.minification } else { options.magnification }
    }
}

/// Largest whole number not above; `f32::floor` is a call into libm on older x86.
fn floor(value: f32) -> i64 {
    let cut = value as i64;
    if (cut as f32) > value { cut - 1 } else { cut }
}

fn wrap(at: i64, size: usize, mode: TextureWrapMode) -> usize {
    let size = size as i64;
    let inside = match mode {
        TextureWrapMode::ClampToEdge => at.clamp(0, size - 1),
        TextureWrapMode::Repeat => at.rem_euclid(size),
        TextureWrapMode::MirroredRepeat => {
            let twice = at.rem_euclid(2 * size);
            twice.min(2 * size - 1 - twice)
        }
    };
    inside as usize
}

/// The vertices of a mesh in pixels and texels; none where a position is no number.
fn corners_of(mesh: &Mesh, pixels_per_point: f32, texture: &Texture, corners: &mut Vec<Option<Corner>>) {
    let steps = pixels_per_point * SUBPIXELS as f32;
    let [width, height] = texture.size.map(|side| side as f32);
    corners.clear();
    corners.extend(mesh.vertices.iter().map(|vertex| {
        let place = |points: f32| floor((points * steps).clamp(-FARTHEST, FARTHEST) + 0.5);
        let numbers = [vertex.pos.x, vertex.pos.y, vertex.uv.x, vertex.uv.y];
        numbers.iter().all(|number| number.is_finite()).then(|| Corner {
            pos: [place(vertex.pos.x), place(vertex.pos.y)],
            uv: [vertex.uv.x * width, vertex.uv.y * height],
            color: vertex.color.to_array().map(f32::from),
        })
    }));
}

/// Twice the area of the triangle `a`, `b`, `p`: positive when `p` is to the right of the way from `a` to `b`, y down.
fn doubled_area(a: [i64; 2], b: [i64; 2], p: [i64; 2]) -> i64 {
    (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
}

fn fill(pixels: &mut [[u8; 4]], width: usize, clip: Clip, texture: &Texture, mut corners: [Corner; 3]) {
    let mut area = doubled_area(corners[0].pos, corners[1].pos, corners[2].pos);
    if area == 0 {
        return;
    }
    if area < 0 {
        // egui uses both ways round.
        corners.swap(1, 2);
        area = -area;
    }
    let [a, b, c] = &corners;
    let filter = texture.filter(&corners, area);
    let one_texel = a.uv == b.uv && a.uv == c.uv;
    let one_color = a.color == b.color && a.color == c.color;
    let reach = 1.0 / area as f32;
    // Shares of the second and third corner at a pixel, from exact areas, so that thin triangles stay in range.
    let mix = |from: f32, to: [f32; 2], [second, third]: [i64; 2]| {
        from + (to[0] - from) * (second as f32 * reach) + (to[1] - from) * (third as f32 * reach)
    };
    let uv_at = |shares| [0, 1].map(|i| mix(a.uv[i], [b.uv[i], c.uv[i]], shares));
    let color_at = |shares| [0, 1, 2, 3].map(|i| mix(a.color[i], [b.color[i], c.color[i]], shares));
    if one_texel {
        let texel = texture.sample(a.uv, filter);
        if one_color {
            let source = times(a.color, texel);
            if source == [0.0; 4] {
                return;
            }
            spans(&corners, clip, |y, from, to, _, _| {
                let row = &mut pixels[y * width + from..y * width + to];
                if source[3] >= 255.0 {
                    row.fill(source.map(|channel| (channel + 0.5) as u8));
                } else {
                    row.iter_mut().for_each(|pixel| blend(pixel, source));
                }
            });
        } else {
            shade(pixels, width, &corners, clip, |shares| times(color_at(shares), texel));
        }
    } else if one_color {
        shade(pixels, width, &corners, clip, |shares| times(a.color, texture.sample(uv_at(shares), filter)));
    } else {
        let both = |shares| times(color_at(shares), texture.sample(uv_at(shares), filter));
        shade(pixels, width, &corners, clip, both);
    }
}

fn times(color: [f32; 4], texel: [f32; 4]) -> [f32; 4] {
    std::array::from_fn(|i| color[i] * texel[i] * (1.0 / 255.0))
}

fn shade(
    pixels: &mut [[u8; 4]],
    width: usize,
    corners: &[Corner; 3],
    clip: Clip,
    source: impl Fn([i64; 2]) -> [f32; 4],
) {
    spans(corners, clip, |y, from, to, mut shares, step| {
        for pixel in &mut pixels[y * width + from..y * width + to] {
            blend(pixel, source(shares));
            shares = [shares[0] + step[0], shares[1] + step[1]];
        }
    });
}

/// GL's `ONE, ONE_MINUS_SRC_ALPHA` on 8-bit channels; alpha comes out the same with `egui_glow`'s factors for it.
fn blend(pixel: &mut [u8; 4], source: [f32; 4]) {
    let keep = 1.0 - source[3] * (1.0 / 255.0);
    for (below, over) in pixel.iter_mut().zip(source) {
        // The cast saturates.
        *below = (over + f32::from(*below) * keep + 0.5) as u8;
    }
}

/// Calls back for each row of a triangle that goes clockwise: row, first pixel, pixel after the last, the doubled areas
/// that are the shares of the second and third corner at the first pixel, and their change from pixel to pixel.
fn spans(corners: &[Corner; 3], clip: Clip, mut span: impl FnMut(usize, usize, usize, [i64; 2], [i64; 2])) {
    let [a, b, c] = corners.map(|corner| corner.pos);
    // Pixels whose centres lie between the outermost corners.
    let around = |i: usize| {
        let [least, most] = [a[i].min(b[i]).min(c[i]), a[i].max(b[i]).max(c[i])];
        let first = -(SUBPIXELS / 2 - least).div_euclid(SUBPIXELS);
        let after = (most - SUBPIXELS / 2).div_euclid(SUBPIXELS) + 1;
        (first.max(clip.min[i]), after.min(clip.max[i]))
    };
    let ((left, right), (top, bottom)) = (around(0), around(1));
    if left >= right || top >= bottom {
        return;
    }
    let edges = [(b, c), (c, a), (a, b)];
    let steps = edges.map(|(from, to)| -(to[1] - from[1]) * SUBPIXELS);
    // Centres exactly on an edge belong to the triangle only if it is a left or a top one.
    let owed = edges.map(|(from, to)| i64::from(!(to[1] < from[1] || (to[1] == from[1] && to[0] > from[0]))));
    for y in top..bottom {
        let center = [SUBPIXELS / 2, y * SUBPIXELS + SUBPIXELS / 2];
        let areas = edges.map(|(from, to)| doubled_area(from, to, center));
        let (mut first, mut after) = (left, right);
        for i in 0..3 {
            let room = areas[i] - owed[i];
            match steps[i] {
                step if step > 0 => first = first.max(-room.div_euclid(step)),
                step if step < 0 => after = after.min(room.div_euclid(-step) + 1),
                _ if room < 0 => after = first,
                _ => {}
            }
        }
        if first < after {
            let shares = [1, 2].map(|i| areas[i] + steps[i] * first);
            span(y as usize, first as usize, after as usize, shares, [steps[1], steps[2]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use egui::{ColorImage, Pos2, epaint::ImageDelta, epaint::Vertex, pos2, vec2};

    use super::*;

    const CLEAR: Color32 = Color32::BLACK;

    /// A raster whose texture 0 is one white texel.
    fn raster(width: u32, height: u32) -> Raster {
        let mut raster = Raster::new(width, height);
        give(&mut raster, ImageDelta::full(ColorImage::filled([1, 1], Color32::WHITE), TextureOptions::LINEAR));
        raster
    }

    fn give(raster: &mut Raster, change: ImageDelta) {
        let mut delta = TexturesDelta::default();
        delta.push(TextureId::default(), change);
        raster.apply_textures(&delta);
        delta.clear();
    }

    fn on(clip: Rect, mesh: Mesh) -> ClippedPrimitive {
        ClippedPrimitive { clip_rect: clip, primitive: Primitive::Mesh(mesh) }
    }

    fn triangle(corners: [Pos2; 3], color: Color32) -> Mesh {
        let vertices = corners.map(|pos| Vertex::untextured(pos, color)).to_vec();
        Mesh { indices: vec![0, 1, 2], vertices, texture_id: TextureId::default() }
    }

    fn gradient() -> Mesh {
        let mut mesh = Mesh::default();
        let corners = [
            (pos2(1.3, 2.1), Color32::RED),
            (pos2(60.2, 5.7), Color32::from_rgba_unmultiplied(0, 255, 0, 90)),
            (pos2(55.0, 40.9), Color32::BLUE),
            (pos2(4.4, 38.5), Color32::TRANSPARENT),
        ];
        mesh.vertices.extend(corners.map(|(pos, color)| Vertex::untextured(pos, color)));
        mesh.indices.extend([0, 1, 2, 0, 2, 3]);
        mesh
    }

    fn read_png(file: &[u8]) -> Vec<u8> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut out = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut out).unwrap();
        out
    }

    #[test]
    fn neighbours_share_no_pixel_and_leave_none_out() {
        // A fan around a point off the grid, each part half transparent: a pixel hit twice or never would show.
        let half = Color32::from_rgba_premultiplied(100, 100, 100, 128);
        let rim = [(0.0, 0.0), (7.5, 0.0), (20.0, 0.0), (20.0, 9.25), (20.0, 20.0), (3.5, 20.0), (0.0, 20.0)];
        for middle in [pos2(9.37, 11.12), pos2(10.0, 10.0), pos2(10.5, 10.5), pos2(0.5, 19.5)] {
            let mut raster = raster(20, 20);
            let fan = (0..rim.len()).map(|i| {
                let [a, b] = [rim[i], rim[(i + 1) % rim.len()]];
                on(Rect::EVERYTHING, triangle([middle, pos2(a.0, a.1), pos2(b.0, b.1)], half))
            });
            raster.paint(1.0, &fan.collect::<Vec<_>>(), CLEAR);
            assert!(raster.rgba().chunks_exact(4).all(|pixel| pixel == [100, 100, 100, 255]), "around {middle:?}");
        }
    }

    #[test]
    fn rectangles_cover_the_pixels_whose_centres_they_hold() {
        let check = |rect: Rect, pixels_per_point: f32, expected: Rect| {
            let mut raster = raster(20, 20);
            let mut mesh = Mesh::default();
            mesh.add_colored_rect(rect, Color32::WHITE);
            raster.paint(pixels_per_point, &[on(Rect::EVERYTHING, mesh)], CLEAR);
            for (x, y) in (0..20).flat_map(|y| (0..20).map(move |x| (x, y))) {
                let inside = expected.contains(pos2(x as f32 + 0.5, y as f32 + 0.5));
                let expected = if inside { Color32::WHITE } else { CLEAR };
                assert_eq!(raster.pixel(x, y), Some(expected), "{rect:?} at {x}, {y}");
            }
        };
        let rect = |x0, y0, x1, y1| Rect { min: pos2(x0, y0), max: pos2(x1, y1) };
        check(rect(2.0, 3.0, 5.0, 9.0), 1.0, rect(2.0, 3.0, 5.0, 9.0));
        check(rect(2.0, 3.0, 5.0, 9.0), 2.0, rect(4.0, 6.0, 10.0, 18.0));
        check(rect(2.5, 3.5, 5.5, 9.5), 1.0, rect(2.0, 3.0, 5.0, 9.0));
        check(rect(2.6, 3.4, 5.4, 9.6), 1.0, rect(3.0, 3.0, 5.0, 10.0));
        check(rect(-1e9, 3.0, 1e9, 4.0), 1.0, rect(0.0, 3.0, 20.0, 4.0));
        check(rect(f32::NAN, 3.0, 5.0, 9.0), 1.0, rect(0.0, 0.0, 0.0, 0.0));
    }

    #[test]
    fn nothing_is_drawn_outside_of_the_clip_rectangle() {
        let mut raster = raster(20, 20);
        let mut mesh = Mesh::default();
        mesh.add_colored_rect(Rect::EVERYTHING.intersect(Rect::from_min_size(Pos2::ZERO, vec2(50.0, 50.0))), CLEAR);
        mesh.add_colored_rect(Rect::from_min_size(Pos2::ZERO, vec2(50.0, 50.0)), Color32::WHITE);
        // 2.4 and 7.6 round to 2 and 8.
        let clip = Rect { min: pos2(2.4, 2.4), max: pos2(7.6, 7.6) };
        raster.paint(1.0, &[on(clip, mesh.clone()), on(Rect::NOTHING, mesh)], CLEAR);
        let num_white = raster.rgba().chunks_exact(4).filter(|pixel| **pixel == [255; 4]).count();
        assert_eq!(num_white, 36);
        assert_eq!(raster.pixel(2, 7), Some(Color32::WHITE));
        assert_eq!(raster.pixel(8, 7), Some(CLEAR));
        assert_eq!(raster.pixel(20, 0), None);
    }

    #[test]
    fn colours_run_evenly_and_blend_premultiplied() {
        let mut raster = raster(256, 1);
        let mut mesh = Mesh::default();
        mesh.add_colored_rect(Rect::from_min_size(Pos2::ZERO, vec2(256.0, 1.0)), Color32::WHITE);
        for vertex in &mut mesh.vertices {
            vertex.color = if vertex.pos.x == 0.0 { Color32::TRANSPARENT } else { Color32::from_rgb(255, 0, 0) };
        }
        raster.paint(1.0, &[on(Rect::EVERYTHING, mesh)], Color32::BLUE);
        for x in 0..256 {
            let pixel = raster.pixel(x, 0).unwrap();
            assert!(pixel.r().abs_diff(x as u8) <= 1 && pixel.b().abs_diff(255 - x as u8) <= 1, "{x}: {pixel:?}");
            assert_eq!(pixel.a(), 255);
        }
    }

    #[test]
    fn a_picture_at_its_own_size_comes_out_as_it_is() {
        let texels: Vec<Color32> = (0..35_u8).map(|i| Color32::from_rgb(i * 7, 255 - i, i)).collect();
        for options in [TextureOptions::LINEAR, TextureOptions::NEAREST] {
            let mut raster = raster(7, 5);
            give(&mut raster, ImageDelta::full(ColorImage::new([7, 5], texels.clone()), options));
            let mut mesh = Mesh::default();
            let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
            mesh.add_rect_with_uv(Rect::from_min_size(Pos2::ZERO, vec2(7.0, 5.0)), uv, Color32::WHITE);
            raster.paint(1.0, &[on(Rect::EVERYTHING, mesh)], CLEAR);
            let expected: Vec<[u8; 4]> = texels.iter().map(Color32::to_array).collect();
            assert_eq!(raster.rgba(), expected.as_flattened());
        }
    }

    #[test]
    fn filters_and_edges_follow_the_options() {
        let pair = vec![Color32::BLACK, Color32::WHITE];
        let check = |options: TextureOptions, uv: [f32; 2], expected: [u8; 4]| {
            let mut raster = raster(4, 1);
            give(&mut raster, ImageDelta::full(ColorImage::new([2, 1], pair.clone()), options));
            let mut mesh = Mesh::default();
            let uv = Rect::from_min_max(pos2(uv[0], 0.0), pos2(uv[1], 1.0));
            mesh.add_rect_with_uv(Rect::from_min_size(Pos2::ZERO, vec2(4.0, 1.0)), uv, Color32::WHITE);
            raster.paint(1.0, &[on(Rect::EVERYTHING, mesh)], CLEAR);
            assert_eq!([0, 1, 2, 3].map(|x| raster.pixel(x, 0).unwrap().r()), expected, "{options:?}");
        };
        check(TextureOptions::NEAREST, [0.0, 1.0], [0, 0, 255, 255]);
        check(TextureOptions::LINEAR, [0.0, 1.0], [0, 64, 191, 255]);
        check(TextureOptions::NEAREST, [0.0, 2.0], [0, 255, 255, 255]);
        check(TextureOptions::NEAREST_REPEAT, [0.0, 2.0], [0, 255, 0, 255]);
        check(TextureOptions::NEAREST_MIRRORED_REPEAT, [0.0, 2.0], [0, 255, 255, 0]);
        let only_small = TextureOptions { minification: TextureFilter::Nearest, ..TextureOptions::LINEAR_REPEAT };
        check(only_small, [0.0, 4.0], [255, 255, 255, 255]);
        check(only_small, [0.0, 1.0], [64, 64, 191, 191]);
    }

    #[test]
    fn textures_are_patched_and_freed_after_the_frame() {
        let mut raster = raster(2, 2);
        give(&mut raster, ImageDelta::full(ColorImage::filled([2, 2], Color32::RED), TextureOptions::NEAREST));
        let patch = ColorImage::filled([1, 1], Color32::GREEN);
        give(&mut raster, ImageDelta::partial([1, 0], patch.clone(), TextureOptions::NEAREST));
        // Beyond the texture: left out rather than a panic.
        give(&mut raster, ImageDelta::partial([2, 0], patch, TextureOptions::NEAREST));
        let mut delta = TexturesDelta::default();
        delta.free(TextureId::default());
        raster.apply_textures(&delta);
        delta.clear();
        let mut mesh = Mesh::default();
        let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        mesh.add_rect_with_uv(Rect::from_min_size(Pos2::ZERO, vec2(2.0, 2.0)), uv, Color32::WHITE);
        let picture = [on(Rect::EVERYTHING, mesh)];
        raster.paint(1.0, &picture, CLEAR);
        let four = |raster: &Raster| [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(x, y)| raster.pixel(x, y).unwrap());
        assert_eq!(four(&raster), [Color32::RED, Color32::GREEN, Color32::RED, Color32::RED]);
        raster.paint(1.0, &picture, CLEAR);
        assert_eq!(four(&raster), [CLEAR; 4]);
    }

    #[test]
    fn broken_meshes_are_left_out() {
        let mut raster = raster(4, 4);
        let mut mesh = triangle([Pos2::ZERO, pos2(9.0, 0.0), pos2(0.0, 9.0)], Color32::WHITE);
        mesh.indices = vec![0, 1, 7];
        let unknown = Mesh { texture_id: TextureId::User(3), ..gradient() };
        raster.paint(1.0, &[on(Rect::EVERYTHING, mesh), on(Rect::EVERYTHING, unknown)], CLEAR);
        assert!(raster.rgba().chunks_exact(4).all(|pixel| pixel == CLEAR.to_array()));
    }

    #[test]
    fn png_holds_the_picture_with_straight_alpha() {
        let mut raster = raster(2, 1);
        raster.paint(1.0, &[], Color32::from_rgba_premultiplied(50, 0, 100, 100));
        assert_eq!(read_png(&raster.to_png()), [128, 0, 255, 100, 128, 0, 255, 100]);
        assert_eq!(Raster::new(0, 0).size(), [1, 1]);
    }

    #[test]
    fn the_same_bytes_on_every_machine() {
        let mut raster = raster(64, 48);
        let texels: Vec<Color32> = (0..64_u8).map(|i| Color32::from_rgb(i * 4, 255 - i * 3, i)).collect();
        let mut image = gradient();
        for vertex in &mut image.vertices {
            vertex.uv = pos2(vertex.pos.y / 31.0, vertex.pos.x / 77.0);
            vertex.pos += vec2(3.3, 4.7);
        }
        image.texture_id = TextureId::Managed(1);
        let mut delta = TexturesDelta::default();
        delta.push(image.texture_id, ImageDelta::full(ColorImage::new([8, 8], texels), TextureOptions::LINEAR));
        raster.apply_textures(&delta);
        delta.clear();
        let primitives = [on(Rect::EVERYTHING, gradient()), on(Rect::EVERYTHING, image)];
        raster.paint(1.0, &primitives, Color32::from_rgb(240, 241, 245));
        // The same in a debug and in an optimised build.
        assert_eq!(
            xxhash_rust::xxh64::xxh64(raster.rgba(), 0),
            15_888_798_216_517_695_304,
            "the filler's arithmetic has changed"
        );
    }
}
