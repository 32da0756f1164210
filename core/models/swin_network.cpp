#include "core/models/swin_network.h"

#include "core/models/network_builder.h"
#include "core/models/swin_config.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

using Dims = NetworkBuilder::Dims;
using Bias = NetworkBuilder::Bias;

constexpr double kPatchEpsilon
    = 1e-5; ///< of the norms in patch embedding and merging, whatever the blocks have
constexpr float kApart = -100.0F; ///< added to the scores of tokens that do not touch

/// Windows of one block on its stage's grid of patches; sizes in patches.
struct Windows
{
    std::int64_t gridHeight, gridWidth;
    std::int64_t height, width;
    std::int64_t shiftDown, shiftRight;

    [[nodiscard]] std::int64_t tokens() const { return height * width; }
    [[nodiscard]] std::int64_t patches() const { return gridHeight * gridWidth; }
    [[nodiscard]] std::int64_t count() const { return patches() / tokens(); }
    [[nodiscard]] bool isShifted() const { return shiftDown != 0 || shiftRight != 0; }
    /// For each place, window by window and row by row: its patch in the image.
    [[nodiscard]] Dims order() const;
    /// For each patch in the image: its place.
    [[nodiscard]] Dims inverseOrder() const;
    /// For each place: which part of the image it shows; parts that the shift brought side by side differ.
    [[nodiscard]] Dims regions() const;
    /// For each pair of places in a window: its row in the table of biases.
    [[nodiscard]] Dims relativePositions() const;

private:
    template<typename Function>
    void forEachPlace(Function function) const;
};

/// Calls function(y, x) with the place in the shifted image, in the order of places.
template<typename Function>
void Windows::forEachPlace(Function function) const
{
    for (std::int64_t place = 0; place < patches(); ++place) {
        const std::int64_t window = place / tokens();
        const std::int64_t inside = place % tokens();
        const std::int64_t across = gridWidth / width;
        function(window / across * height + inside / width, window % across * width + inside % width);
    }
}

Dims Windows::order() const
{
    Dims result;
    forEachPlace([&](std::int64_t y, std::int64_t x) {
        result.push_back((y + shiftDown) % gridHeight * gridWidth + (x + shiftRight) % gridWidth);
    });
    return result;
}

Dims Windows::inverseOrder() const
{
    const Dims forward = order();
    Dims result(forward.size());
    for (std::size_t place = 0; place < forward.size(); ++place) {
        result[static_cast<std::size_t>(forward[place])] = static_cast<std::int64_t>(place);
    }
    return result;
}

Dims Windows::regions() const
{
    // Along one side: 0 up to the last window, then 1, and 2 for what came around from the other end.
    const auto part = [](std::int64_t at, std::int64_t size, std::int64_t window, std::int64_t shift) {
        return at < size - window ? 0 : at < size - shift ? 1 : 2;
    };
    Dims result;
    forEachPlace([&](std::int64_t y, std::int64_t x) {
        result.push_back(3 * part(y, gridHeight, height, shiftDown) + part(x, gridWidth, width, shiftRight));
    });
    return result;
}

Dims Windows::relativePositions() const
{
    Dims result;
    for (std::int64_t from = 0; from < tokens(); ++from) {
        for (std::int64_t to = 0; to < tokens(); ++to) {
            const std::int64_t down = from / width - to / width + height - 1;
            const std::int64_t right = from % width - to % width + width - 1;
            result.push_back(down * (2 * width - 1) + right);
        }
    }
    return result;
}

/// Names of the parts, the same under either form.
struct SwinNames
{
    std::string patch, patchNorm, positions, layers;
    std::string norm1, attention, projection, norm2, fc1, activation, fc2; ///< inside a block
    std::string norm;

    [[nodiscard]] static SwinNames of(const SwinConfig& config);
};

SwinNames SwinNames::of(const SwinConfig& config)
{
    if (config.form == SwinForm::Timm) {
        return {"patch_embed.proj", "patch_embed.norm", "absolute_pos_embed", "layers.", "norm1", "attn",
            "attn.proj", "norm2", "mlp.fc1", "mlp.act", "mlp.fc2", "norm"};
    }
    const std::string& root = config.prefix;
    return {root + "embeddings.patch_embeddings.projection", root + "embeddings.norm",
        root + "embeddings.position_embeddings", root + "encoder.layers.", "layernorm_before",
        "attention.self", "attention.output.dense", "layernorm_after", "intermediate.dense",
        "intermediate.act", "output.dense", root + "layernorm"};
}

class SwinMaker
{
public:
    SwinMaker(const SwinConfig& config, Checkpoint& weights)
        : m_config(config)
        , m_names(SwinNames::of(config))
        , m_net(weights)
    {
    }

    std::shared_ptr<const Graph> make();

private:
    [[nodiscard]] Bias qkvBias() const { return m_config.qkvBias ? Bias::Yes : Bias::No; }
    [[nodiscard]] Windows windowsOf(std::size_t stage, std::int64_t block) const;
    ValueId embedding();
    ValueId moved(const std::string& name, ValueId x, const Dims& order);
    ValueId positionBias(const std::string& attention, const Windows& windows, std::int64_t heads);
    ValueId shiftMask(std::size_t stage, const Windows& windows, ValueId x);
    NetworkBuilder::Operands operands(const std::string& attention, ValueId x, std::int64_t heads);
    ValueId block(std::size_t stage, std::int64_t index, ValueId x);
    ValueId merged(const std::string& path, std::size_t stage, ValueId x);

    const SwinConfig& m_config;
    SwinNames m_names;
    NetworkBuilder m_net;
    std::map<std::size_t, ValueId> m_shiftMasks; ///< by stage
};

Windows SwinMaker::windowsOf(std::size_t stage, std::int64_t block) const
{
    const std::int64_t high = m_config.imageHeight / m_config.patchHeight >> stage;
    const std::int64_t wide = m_config.imageWidth / m_config.patchWidth >> stage;
    const std::int64_t side = std::min({m_config.window, high, wide});
    const std::int64_t shift = block % 2 == 0 ? 0 : m_config.window / 2;
    // A side that one window fills is not shifted; Hugging Face then shifts neither.
    const bool neither = m_config.form == SwinForm::HuggingFace && std::min(high, wide) <= m_config.window;
    return {high, wide, side, side, neither || high <= m_config.window ? 0 : shift,
        neither || wide <= m_config.window ? 0 : shift};
}

ValueId SwinMaker::embedding()
{
    const ValueId pixels = m_net.input(
        "pixel_values", DType::F32, {-1, m_config.channels, m_config.imageHeight, m_config.imageWidth});
    ValueId x = m_net.patches(
        m_names.patch, pixels, m_config.embedDim, {m_config.patchHeight, m_config.patchWidth}, Bias::Yes);
    x = m_net.layerNorm(m_names.patchNorm, x, kPatchEpsilon);
    if (m_config.absolutePositions) {
        const ValueId positions = m_net.weight(m_names.positions, {1, m_net.dims(x)[1], m_config.embedDim});
        x = m_net.sameShape("Add", m_names.positions + ".add", {x, positions});
    }
    return x;
}

/// Tokens in another order: [B, L, C] -> [B, L, C].
ValueId SwinMaker::moved(const std::string& name, ValueId x, const Dims& order)
{
    return m_net.sameShape("Gather", name, {x, m_net.integers("order", order)}, {{"axis", std::int64_t {1}}});
}

/// [1, heads, T, T] out of the table [(2 h - 1) (2 w - 1), heads].
ValueId SwinMaker::positionBias(const std::string& attention, const Windows& windows, std::int64_t heads)
{
    const std::string name = attention + ".relative_position_bias";
    const std::int64_t rows = (2 * windows.height - 1) * (2 * windows.width - 1);
    const ValueId table = m_net.weight(name + "_table", {rows, heads});
    const Dims pairs = windows.relativePositions();
    const ValueId chosen
        = m_net.node("Gather", name + ".rows", {table, m_net.integers("relative_positions", pairs)},
            {static_cast<std::int64_t>(pairs.size()), heads}, {{"axis", std::int64_t {0}}});
    const ValueId byHead = m_net.transpose(name + ".by_head", chosen, {1, 0});
    return m_net.reshape(name, byHead, {1, heads, windows.tokens(), windows.tokens()});
}

/// [B windows, 1, T, T]: the stage's windows once for each image of x [B, L, C].
ValueId SwinMaker::shiftMask(std::size_t stage, const Windows& windows, ValueId x)
{
    ValueId& mask = m_shiftMasks.try_emplace(stage, kNoValue).first->second;
    if (mask != kNoValue) {
        return mask;
    }
    const std::string name = m_names.layers + std::to_string(stage) + ".attn_mask";
    const std::int64_t count = windows.count();
    const std::int64_t t = windows.tokens();
    const ValueId regions = m_net.integers("regions", windows.regions());
    const auto arranged = [&](const char* part, const Dims& shape) {
        return m_net.node(
            "Reshape", name + part, {regions, m_net.integers("regions.shape", shape)}, shape, {}, DType::I64);
    };
    const ValueId rows = arranged(".rows", {count, 1, t, 1});
    const ValueId columns = arranged(".columns", {count, 1, 1, t});
    const ValueId same
        = m_net.node("Equal", name + ".touching", {rows, columns}, {count, 1, t, t}, {}, DType::Bool);
    const ValueId one = m_net.node("Where", name + ".image",
        {same, m_net.scalar("mask.seen", 0.0F), m_net.scalar("mask.apart", kApart)}, {count, 1, t, t});
    const ValueId batch = m_net.node("Shape", name + ".batch", {x}, {1},
        {{"start", std::int64_t {0}}, {"end", std::int64_t {1}}}, DType::I64);
    const ValueId shape
        = m_net.node("Concat", name + ".shape", {batch, m_net.integers("attn_mask.shape", {count, 1, t, t})},
            {5}, {{"axis", std::int64_t {0}}}, DType::I64);
    const ValueId many = m_net.node("Expand", name + ".images", {one, shape}, {-1, count, 1, t, t});
    mask = m_net.node(
        "Reshape", name, {many, m_net.integers("attn_mask.joined", {-1, 1, t, t})}, {-1, 1, t, t});
    return mask;
}

NetworkBuilder::Operands SwinMaker::operands(const std::string& attention, ValueId x, std::int64_t heads)
{
    if (m_config.form == SwinForm::Timm) {
        return m_net.fusedOperands(attention, x, heads, qkvBias());
    }
    const auto operand = [&](const char* part) {
        const std::string name = attention + part;
        return m_net.splitHeads(name, m_net.linear(name, x, m_net.width(x), {.bias = qkvBias()}), heads);
    };
    const ValueId query = operand(".query");
    const ValueId key = operand(".key");
    return {query, key, operand(".value")};
}

ValueId SwinMaker::block(std::size_t stage, std::int64_t index, ValueId x)
{
    const std::string path
        = m_names.layers + std::to_string(stage) + ".blocks." + std::to_string(index) + ".";
    const std::string attention = path + m_names.attention;
    const Windows windows = windowsOf(stage, index);
    const std::int64_t heads = m_config.heads[stage];
    const std::int64_t width = m_config.width(stage);

    ValueId y = m_net.layerNorm(path + m_names.norm1, x, m_config.epsilon);
    y = moved(attention + ".windows", y, windows.order());
    y = m_net.reshape(attention + ".windows.apart", y, {-1, windows.tokens(), width});
    std::vector<ValueId> masks {positionBias(attention, windows, heads)};
    if (windows.isShifted()) {
        masks.push_back(shiftMask(stage, windows, x));
    }
    const NetworkBuilder::Operands parts = operands(attention, y, heads);
    y = m_net.attention({.path = attention, .key = attention + ".key", .masks = masks}, parts);
    y = m_net.linear(path + m_names.projection, y, width);
    y = m_net.reshape(attention + ".windows.joined", y, {-1, windows.patches(), width});
    y = moved(attention + ".image", y, windows.inverseOrder());
    x = m_net.sameShape("Add", path + "residual1", {x, y});

    y = m_net.layerNorm(path + m_names.norm2, x, m_config.epsilon);
    y = m_net.linear(
        path + m_names.fc1, y, static_cast<std::int64_t>(static_cast<double>(width) * m_config.mlpRatio));
    y = m_net.activation(path + m_names.activation, y, m_config.activation);
    y = m_net.linear(path + m_names.fc2, y, width);
    return m_net.sameShape("Add", path + "residual2", {x, y});
}

/// Squares of four patches side by side, column by column, then norm and a layer: [B, L, C] -> [B, L / 4, 2
/// C]. `stage` is the one that ends.
ValueId SwinMaker::merged(const std::string& path, std::size_t stage, ValueId x)
{
    const Windows grid = windowsOf(stage, 0);
    Dims order;
    for (std::int64_t i = 0; i < grid.patches() / 4; ++i) {
        const std::int64_t y = i / (grid.gridWidth / 2) * 2;
        const std::int64_t column = i % (grid.gridWidth / 2) * 2;
        for (const auto& [down, right] : {std::pair {0, 0}, {1, 0}, {0, 1}, {1, 1}}) {
            order.push_back((y + down) * grid.gridWidth + column + right);
        }
    }
    const std::int64_t width = m_config.width(stage);
    x = moved(path + ".squares", x, order);
    x = m_net.reshape(path + ".squares.joined", x, {-1, grid.patches() / 4, 4 * width});
    x = m_net.layerNorm(path + ".norm", x, kPatchEpsilon);
    return m_net.linear(path + ".reduction", x, 2 * width, {.bias = Bias::No});
}

std::shared_ptr<const Graph> SwinMaker::make()
{
    ValueId x = embedding();
    const std::size_t stages = m_config.depths.size();
    for (std::size_t stage = 0; stage < stages; ++stage) {
        for (std::int64_t i = 0; i < m_config.depths[stage]; ++i) {
            x = block(stage, i, x);
        }
        if (stage + 1 < stages) {
            const std::size_t holder = m_config.merging == SwinMerging::EndOfStage ? stage : stage + 1;
            x = merged(m_names.layers + std::to_string(holder) + ".downsample", stage, x);
        }
    }
    x = m_net.layerNorm(m_names.norm, x, m_config.epsilon);
    const ValueId pool = m_net.mean("pool", x);
    if (m_config.hasHead) {
        m_net.output(m_net.linear(m_config.head, pool, m_config.classes, {.value = "logits"}));
    } else {
        m_net.output("last_hidden_state", x);
        m_net.output("pooler_output", pool);
    }
    m_net.weights().checkLeftovers(
        {{m_names.layers, m_names.positions, "patch_embed."}, {".relative_position_index", ".attn_mask"}});
    return m_net.build();
}

} // namespace

Network makeSwin(const ModelFolder& folder)
{
    const SwinConfig config = readSwinConfig(folder);
    return {SwinMaker(config, folder.weights).make(),
        config.hasHead ? ModelTask::Classification : ModelTask::Features, config.preprocessing};
}

} // namespace qs
