//! The device: its pipeline, its buffers, one picture at a time.

use super::{CORNER_FLOATS, EYE_FLOATS, NoGpu};

/// Samples in a pixel.
const SAMPLES: u32 = 4;
const COLOUR: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;
/// Colour where nothing is drawn.
const DARK: wgpu::Color = wgpu::Color { r: 10.0 / 255.0, g: 3.0 / 255.0, b: 2.0 / 255.0, a: 1.0 };

/// One device with everything it needs to draw pictures of one size.
#[derive(Debug)]
pub struct Machine {
    name: String,
    device: wgpu::Device,
    queue: wgpu::Queue,
    pipeline: wgpu::RenderPipeline,
    eyes: Vec<(wgpu::Buffer, wgpu::BindGroup)>,
    corners: wgpu::Buffer,
    triangles: wgpu::Buffer,
    samples: wgpu::TextureView,
    depth: wgpu::TextureView,
    picture: wgpu::Texture,
    back: wgpu::Buffer,
    /// Bytes between rows of `back`.
    stride: u32,
    /// Pixels of one eye.
    size: [u32; 2],
}

impl Machine {
    /// Opens the fastest device for pictures of `size` pixels an eye; `tile` is the texture.
    pub fn open(size: [usize; 2], eyes: usize, tile: &[u32], side: usize) -> Result<Self, NoGpu> {
        let size = size.map(|n| n as u32);
        let (name, device, queue) = pollster::block_on(connect())?;
        let refused =
            |error: wgpu::Error| NoGpu::Refused { device: name.clone(), reason: error.to_string() };
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = pipeline(&device);
        let tile = upload_tile(&device, &queue, tile, side as u32);
        let eye = |_| {
            let told = buffer(
                &device,
                EYE_FLOATS * 4,
                wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            );
            let group = bind(&device, &pipeline, &told, &tile);
            (told, group)
        };
        let eyes: Vec<_> = (0..eyes).map(eye).collect();
        let whole = [size[0] * eyes.len() as u32, size[1]];
        let attachment = wgpu::TextureUsages::RENDER_ATTACHMENT;
        let samples = texture(&device, whole, COLOUR, SAMPLES, attachment);
        let depth = texture(&device, whole, DEPTH, SAMPLES, attachment);
        let picture =
            texture(&device, whole, COLOUR, 1, attachment | wgpu::TextureUsages::COPY_SRC);
        let stride = (whole[0] * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let back = buffer(
            &device,
            (stride * whole[1]) as usize,
            wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        );
        let view = |t: &wgpu::Texture| t.create_view(&wgpu::TextureViewDescriptor::default());
        let machine = Self {
            corners: buffer(&device, 4, geometry_usage(wgpu::BufferUsages::VERTEX)),
            triangles: buffer(&device, 4, geometry_usage(wgpu::BufferUsages::INDEX)),
            samples: view(&samples),
            depth: view(&depth),
            name: name.clone(),
            queue,
            pipeline,
            eyes,
            picture,
            back,
            stride,
            size,
            device,
        };
        match pollster::block_on(scope.pop()) {
            None => Ok(machine),
            Some(error) => Err(refused(error)),
        }
    }

    /// The device and its kind.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Draws corners and triangles for every eye and brings the picture back as RGBA rows.
    pub fn draw(
        &mut self,
        corners: &[f32],
        triangles: &[u32],
        told: &[Vec<f32>],
        rgba: &mut [u8],
    ) -> Result<(), NoGpu> {
        let bytes: Vec<u8> = corners.iter().flat_map(|v| v.to_bits().to_le_bytes()).collect();
        grow(&self.device, &mut self.corners, bytes.len(), wgpu::BufferUsages::VERTEX);
        self.queue.write_buffer(&self.corners, 0, &bytes);
        let bytes: Vec<u8> = triangles.iter().flat_map(|v| v.to_le_bytes()).collect();
        grow(&self.device, &mut self.triangles, bytes.len(), wgpu::BufferUsages::INDEX);
        self.queue.write_buffer(&self.triangles, 0, &bytes);
        for ((buffer, _), told) in self.eyes.iter().zip(told) {
            let bytes: Vec<u8> = told.iter().flat_map(|v| v.to_le_bytes()).collect();
            self.queue.write_buffer(buffer, 0, &bytes);
        }
        let mut encoder =
            self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.pass(&mut encoder, triangles.len() as u32);
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(self.stride),
            rows_per_image: None,
        };
        encoder.copy_texture_to_buffer(
            self.picture.as_image_copy(),
            wgpu::TexelCopyBufferInfo { buffer: &self.back, layout },
            self.picture.size(),
        );
        self.queue.submit([encoder.finish()]);
        self.fetch(rgba)
    }

    fn pass(&self, encoder: &mut wgpu::CommandEncoder, indices: u32) {
        let resolved = self.picture.create_view(&wgpu::TextureViewDescriptor::default());
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &self.samples,
                depth_slice: None,
                resolve_target: Some(&resolved),
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(DARK),
                    store: wgpu::StoreOp::Discard,
                },
            })],
            depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                view: &self.depth,
                depth_ops: Some(wgpu::Operations {
                    load: wgpu::LoadOp::Clear(0.0),
                    store: wgpu::StoreOp::Discard,
                }),
                stencil_ops: None,
            }),
            ..wgpu::RenderPassDescriptor::default()
        });
        pass.set_pipeline(&self.pipeline);
        pass.set_vertex_buffer(0, self.corners.slice(..));
        pass.set_index_buffer(self.triangles.slice(..), wgpu::IndexFormat::Uint32);
        let [width, height] = self.size.map(|n| n as f32);
        for (number, (_, group)) in self.eyes.iter().enumerate() {
            pass.set_viewport(number as f32 * width, 0.0, width, height, 0.0, 1.0);
            pass.set_bind_group(0, group, &[]);
            pass.draw_indexed(0..indices, 0, 0..1);
        }
    }

    /// Waits for the picture and copies its rows.
    fn fetch(&self, rgba: &mut [u8]) -> Result<(), NoGpu> {
        let lost = |reason: String| NoGpu::Lost(reason);
        let (sender, mapped) = std::sync::mpsc::channel();
        let whole = self.back.slice(..);
        whole.map_async(wgpu::MapMode::Read, move |outcome| {
            // Nobody waits any more: then nobody needs it.
            let _ = sender.send(outcome);
        });
        self.device
            .poll(wgpu::PollType::wait_indefinitely())
            .map_err(|error| lost(error.to_string()))?;
        mapped
            .recv()
            .map_err(|error| lost(error.to_string()))?
            .map_err(|error| lost(error.to_string()))?;
        {
            let rows = whole.get_mapped_range().map_err(|error| lost(error.to_string()))?;
            let row = self.picture.width() as usize * 4;
            for (to, from) in rgba.chunks_exact_mut(row).zip(rows.chunks(self.stride as usize)) {
                if let Some(from) = from.get(..row) {
                    to.copy_from_slice(from);
                }
            }
        }
        self.back.unmap();
        Ok(())
    }
}

async fn connect() -> Result<(String, wgpu::Device, wgpu::Queue), NoGpu> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = instance
        .request_adapter(&wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..wgpu::RequestAdapterOptions::default()
        })
        .await
        .map_err(|error| NoGpu::NoDevice(error.to_string()))?;
    let info = adapter.get_info();
    let name = format!("{} ({:?}, {})", info.name, info.device_type, info.backend);
    let (device, queue) = adapter
        .request_device(&wgpu::DeviceDescriptor {
            required_limits: wgpu::Limits::downlevel_defaults().using_resolution(adapter.limits()),
            ..wgpu::DeviceDescriptor::default()
        })
        .await
        .map_err(|error| NoGpu::Refused { device: name.clone(), reason: error.to_string() })?;
    Ok((name, device, queue))
}

fn pipeline(device: &wgpu::Device) -> wgpu::RenderPipeline {
    let shader = device.create_shader_module(wgpu::include_wgsl!("../gpu.wgsl"));
    let attributes = wgpu::vertex_attr_array![
        0 => Float32x3, 1 => Float32x3, 2 => Float32x2, 3 => Float32, 4 => Uint32
    ];
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("endoscope"),
        layout: None,
        vertex: wgpu::VertexState {
            module: &shader,
            entry_point: Some("corner"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[Some(wgpu::VertexBufferLayout {
                array_stride: (CORNER_FLOATS * 4) as u64,
                step_mode: wgpu::VertexStepMode::Vertex,
                attributes: &attributes,
            })],
        },
        primitive: wgpu::PrimitiveState {
            front_face: wgpu::FrontFace::Ccw,
            cull_mode: Some(wgpu::Face::Back),
            ..wgpu::PrimitiveState::default()
        },
        depth_stencil: Some(wgpu::DepthStencilState {
            format: DEPTH,
            depth_write_enabled: Some(true),
            depth_compare: Some(wgpu::CompareFunction::Greater),
            stencil: wgpu::StencilState::default(),
            bias: wgpu::DepthBiasState::default(),
        }),
        multisample: wgpu::MultisampleState { count: SAMPLES, ..wgpu::MultisampleState::default() },
        fragment: Some(wgpu::FragmentState {
            module: &shader,
            entry_point: Some("lit"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            targets: &[Some(COLOUR.into())],
        }),
        multiview_mask: None,
        cache: None,
    })
}

fn bind(
    device: &wgpu::Device,
    pipeline: &wgpu::RenderPipeline,
    told: &wgpu::Buffer,
    tile: &wgpu::TextureView,
) -> wgpu::BindGroup {
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[
            wgpu::BindGroupEntry { binding: 0, resource: told.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::TextureView(tile) },
        ],
    })
}

fn upload_tile(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    tile: &[u32],
    side: u32,
) -> wgpu::TextureView {
    let usage = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST;
    let held = texture(device, [side, side], wgpu::TextureFormat::R32Uint, 1, usage);
    let bytes: Vec<u8> = tile.iter().flat_map(|texel| texel.to_le_bytes()).collect();
    let layout = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(side * 4),
        rows_per_image: None,
    };
    queue.write_texture(held.as_image_copy(), &bytes, layout, held.size());
    held.create_view(&wgpu::TextureViewDescriptor::default())
}

fn texture(
    device: &wgpu::Device,
    [width, height]: [u32; 2],
    format: wgpu::TextureFormat,
    sample_count: u32,
    usage: wgpu::TextureUsages,
) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage,
        view_formats: &[],
    })
}

fn buffer(device: &wgpu::Device, bytes: usize, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: bytes as u64,
        usage,
        mapped_at_creation: false,
    })
}

fn geometry_usage(usage: wgpu::BufferUsages) -> wgpu::BufferUsages {
    usage | wgpu::BufferUsages::COPY_DST
}

/// Another buffer where the present one is too small; half as much again, so that it is rare.
fn grow(device: &wgpu::Device, held: &mut wgpu::Buffer, bytes: usize, usage: wgpu::BufferUsages) {
    if (held.size() as usize) < bytes {
        *held = buffer(device, (bytes + bytes / 2).next_multiple_of(4), geometry_usage(usage));
    }
}
