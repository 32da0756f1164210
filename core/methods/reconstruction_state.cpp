#include "core/methods/reconstruction_state.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/io/hdf5_file.h"

#include <ostream>
#include <sstream>

namespace qs {

namespace {

void describe(std::ostream& text, const TrainingOptions& t)
{
    text << t.schedule.iterations << " iterations of " << t.batch << ", rates " << t.weightRate << ' '
         << t.weightStepRate << ' ' << t.stepRate << ' ' << t.zeroPointRate << ' ' << t.normRate << ' '
         << t.biasRate << ' ' << t.schedule.warmUp;
}

std::string describe(
    const Model& model, const std::string& identity, const BlockReconstructionOptions& options)
{
    std::ostringstream text;
    text << "block-reconstruction 2; model " << model.hash << "; " << identity << "; seed " << options.seed
         << ", curvature " << options.curvatureDraws << " of " << options.curvatureSamples << "; blocks ";
    describe(text, options.training);
    text << "; all ";
    describe(text, options.endToEnd);
    return text.str();
}

void saveTensors(Hdf5File& file, const std::string& group, const std::vector<Tensor>& tensors)
{
    file.makeGroup(group);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        file.writeTensor(group + "/" + std::to_string(i), tensors[i]);
    }
}

std::vector<Tensor> loadTensors(const Hdf5File& file, const std::string& group)
{
    std::vector<Tensor> result;
    for (std::size_t i = 0, count = file.children(group).size(); i < count; ++i) {
        result.push_back(file.readTensor(group + "/" + std::to_string(i)));
    }
    return result;
}

} // namespace

ReconstructionState::ReconstructionState(std::filesystem::path path, const Model& model,
    const std::string& identity, const BlockReconstructionOptions& options)
    : m_path(std::move(path))
    , m_run(describe(model, identity, options))
{
}

BlockResults ReconstructionState::load(const ResolvedPlan& quantizers) const
{
    BlockResults results;
    if (m_path.empty() || !std::filesystem::exists(m_path)) {
        return results;
    }
    const Hdf5File file = Hdf5File::openForReading(m_path);
    if (file.readString("/", "run") != m_run) {
        throw Error(ErrorCode::InvalidArgument,
            "'" + m_path.string()
                + "' holds a run with another model, data or options; name another file or delete it");
    }
    for (const std::string& entry : file.children("/constants")) {
        const std::string path = "/constants/" + entry;
        RewrittenConstant constant;
        constant.values = file.readTensor(path);
        constant.site = file.readString(path, "site");
        constant.channelAxis = static_cast<int>(file.readInteger(path, "channel_axis"));
        results.trained.constants[file.readString(path, "name")] = std::move(constant);
    }
    for (const std::string& entry : file.children("/quantizers")) {
        const std::string path = "/quantizers/" + entry;
        const std::string site = file.readString(path, "site");
        const auto start = quantizers.find(site);
        const Tensor scales = file.readTensor(path + "/scales");
        const Tensor zeros = file.readTensor(path + "/zero_points");
        const Tensor bounds = file.readTensor(path + "/bounds");
        if (start == quantizers.end() || scales.data<float>().size() != start->second.scales.size()
            || zeros.data<std::int32_t>().size() != start->second.scales.size()
            || bounds.data<double>().size() != 2 * start->second.scales.size()) {
            throw Error(ErrorCode::CorruptFile,
                "'" + m_path.string() + "' holds no fitting quantizer for '" + site + "'");
        }
        QuantParams params = start->second;
        params.scales.assign(scales.data<float>().begin(), scales.data<float>().end());
        params.zeroPoints.assign(zeros.data<std::int32_t>().begin(), zeros.data<std::int32_t>().end());
        for (std::size_t i = 0; i < params.bounds.size(); ++i) {
            params.bounds[i] = {bounds.data<double>()[2 * i], bounds.data<double>()[2 * i + 1]};
        }
        results.trained.quantizers[site] = std::move(params);
    }
    for (const std::string& entry : file.children("/codes")) {
        const std::string path = "/codes/" + entry;
        results.trained.codes[file.readString(path, "name")] = file.readTensor(path);
    }
    results.endToEnd.iteration = file.readInteger("/end_to_end", "iterations");
    results.endToEnd.state = loadTensors(file, "/end_to_end");
    results.blocksDone = static_cast<int>(file.readInteger("/", "blocks"));
    return results;
}

void ReconstructionState::save(const BlockResults& results) const
{
    if (m_path.empty()) {
        return;
    }
    AtomicFile target(m_path);
    Hdf5File file = Hdf5File::create(target.temporaryPath());
    file.writeString("/", "run", m_run);
    file.writeInteger("/", "blocks", results.blocksDone);
    file.makeGroup("/constants");
    file.makeGroup("/quantizers");
    int index = 0;
    for (const auto& [name, constant] : results.trained.constants) {
        const std::string path = "/constants/" + std::to_string(index++);
        file.writeTensor(path, constant.values);
        file.writeString(path, "name", name);
        file.writeString(path, "site", constant.site);
        file.writeInteger(path, "channel_axis", constant.channelAxis);
    }
    index = 0;
    for (const auto& [site, params] : results.trained.quantizers) {
        const std::string path = "/quantizers/" + std::to_string(index++);
        const auto count = static_cast<std::int64_t>(params.scales.size());
        file.makeGroup(path);
        file.writeString(path, "site", site);
        file.writeTensor(path + "/scales", Tensor::of<float>({count}, std::span<const float>(params.scales)));
        file.writeTensor(path + "/zero_points",
            Tensor::of<std::int32_t>({count}, std::span<const std::int32_t>(params.zeroPoints)));
        std::vector<double> bounds;
        for (const Bounds& b : params.bounds) {
            bounds.insert(bounds.end(), {b.lower, b.upper});
        }
        file.writeTensor(path + "/bounds", Tensor::of<double>({2 * count}, std::span<const double>(bounds)));
    }
    file.makeGroup("/codes");
    index = 0;
    for (const auto& [name, codes] : results.trained.codes) {
        const std::string path = "/codes/" + std::to_string(index++);
        file.writeTensor(path, codes);
        file.writeString(path, "name", name);
    }
    saveTensors(file, "/end_to_end", results.endToEnd.state);
    file.writeInteger("/end_to_end", "iterations", results.endToEnd.iteration);
    file.close();
    target.commit();
}

} // namespace qs
