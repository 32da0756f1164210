#include "tests/widgets/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

using namespace Qt::StringLiterals;

namespace qs::synthetic {

namespace {

/// Grid position of a value in bins; Log2 bins are even within an octave.
double gridOf(const Histogram& histogram, double value)
{
    if (histogram.scale == BinScale::Linear) {
        return value / histogram.width;
    }
    const double octave = std::floor(std::log2(value));
    return (octave + value / std::exp2(octave) - 1.0) / histogram.width;
}

GroupStatistics collect(const std::vector<float>& values, BinScale scale, double width)
{
    GroupStatistics group;
    Histogram& histogram = group.histogram;
    histogram.scale = scale;
    histogram.width = width;
    std::vector<std::pair<std::int64_t, double>> binned;
    group.minimum = *std::min_element(values.begin(), values.end());
    group.maximum = *std::max_element(values.begin(), values.end());
    for (const float sample : values) {
        const double value = static_cast<double>(sample);
        ++group.count;
        group.sum += value;
        group.sumOfSquares += value * value;
        if (scale == BinScale::Log2 && value <= 0.0) {
            ++histogram.zeros;
            continue;
        }
        binned.emplace_back(static_cast<std::int64_t>(std::floor(gridOf(histogram, value))), value);
    }
    const auto [first, last] = std::minmax_element(binned.begin(), binned.end());
    histogram.firstBin = first->first;
    const auto size = static_cast<std::size_t>(last->first - first->first + 1);
    histogram.counts.assign(size, 0);
    histogram.sums.assign(size, 0.0);
    histogram.squares.assign(size, 0.0);
    for (const auto& [grid, value] : binned) {
        const auto bin = static_cast<std::size_t>(grid - histogram.firstBin);
        ++histogram.counts[bin];
        histogram.sums[bin] += value;
        histogram.squares[bin] += value * value;
    }
    return group;
}

} // namespace

GroupStatistics normalGroup(double mean, double deviation, int samples, std::uint32_t seed)
{
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(mean, deviation);
    std::vector<float> values(static_cast<std::size_t>(samples));
    for (float& value : values) {
        value = static_cast<float>(normal(random));
    }
    const double span = 10.0 * deviation;
    return collect(values, BinScale::Linear, std::exp2(std::floor(std::log2(span / 512.0))));
}

std::shared_ptr<const SiteStatistics> layerNormSite(int channels, int samplesPerChannel)
{
    auto site = std::make_shared<SiteStatistics>();
    site->site = "blocks.3.attn.qkv.input";
    site->axis = GroupAxis::Channel;
    std::mt19937 random(7);
    std::lognormal_distribution<double> spread(-0.6, 0.35);
    std::normal_distribution<double> offset(0.0, 0.18);
    for (int channel = 0; channel < channels; ++channel) {
        const bool isOutlier = channel % 97 == 41;
        const double deviation = spread(random) * (isOutlier ? 3.2 : 1.0);
        const double mean = offset(random) + (isOutlier ? (channel % 2 == 0 ? 2.4 : -3.1) : 0.0);
        site->groups.push_back(
            normalGroup(mean, deviation, samplesPerChannel, static_cast<std::uint32_t>(channel) + 1));
    }
    return site;
}

std::shared_ptr<const SiteStatistics> softmaxSite(int heads, int samplesPerHead)
{
    auto site = std::make_shared<SiteStatistics>();
    site->site = "blocks.3.attn.softmax";
    site->axis = GroupAxis::Head;
    for (int head = 0; head < heads; ++head) {
        std::mt19937 random(static_cast<std::uint32_t>(head) + 100);
        std::normal_distribution<double> logits(0.0, 1.2 + 0.25 * head);
        std::vector<float> values;
        constexpr int kTokens = 197;
        for (int row = 0; row * kTokens < samplesPerHead; ++row) {
            std::array<double, kTokens> weights {};
            double sum = 0.0;
            for (double& weight : weights) {
                weight = std::exp(logits(random));
                sum += weight;
            }
            for (const double weight : weights) {
                values.push_back(static_cast<float>(weight / sum));
            }
            values.back() = row % 3 == 0 ? 0.0F : values.back();
        }
        site->groups.push_back(collect(values, BinScale::Log2, 1.0 / 16.0));
    }
    return site;
}

std::vector<SiteRow> siteRows(int blocks)
{
    struct Kind
    {
        QString name;
        Role role;
        GroupAxis axis;
        std::int64_t groups;
        bool hasWeight;
    };
    const std::vector<Kind> kinds {
        {u"attn.qkv"_s, Role::PostNormQkv, GroupAxis::Channel, 768, true},
        {u"attn.q"_s, Role::Query, GroupAxis::Head, 12, false},
        {u"attn.k"_s, Role::Key, GroupAxis::Head, 12, false},
        {u"attn.softmax"_s, Role::Softmax, GroupAxis::Head, 12, false},
        {u"attn.v"_s, Role::Value, GroupAxis::Head, 12, false},
        {u"attn.proj"_s, Role::Projection, GroupAxis::Channel, 768, true},
        {u"mlp.fc1"_s, Role::PostNormFc1, GroupAxis::Channel, 768, true},
        {u"mlp.fc2"_s, Role::PostGeluFc2, GroupAxis::Channel, 3072, true},
    };
    std::mt19937 random(3);
    std::uniform_real_distribution<double> uniform(0.0, 1.0);
    std::vector<SiteRow> rows;
    const auto add = [&](const QString& name, const QString& block, const Kind& kind, SiteKind siteKind) {
        SiteRow row;
        row.name = name;
        row.block = block;
        row.role = kind.role;
        row.kind = siteKind;
        row.groupAxis = kind.axis;
        row.groups = kind.groups;
        row.choice.enabled = true;
        row.choice.bits = siteKind == SiteKind::Weight ? 4 : kind.role == Role::Softmax ? 6 : 8;
        if (kind.role == Role::Softmax) {
            row.choice.kind = QuantizerKind::LogSqrt2;
        }
        if (siteKind == SiteKind::Weight) {
            row.choice.granularity = Granularity::Group;
        }
        row.choice.method = kind.role == Role::PostGeluFc2 ? BoundMethod::Percentile : BoundMethod::MinMax;
        const double u = uniform(random);
        row.sqnrDb = 6.02 * row.choice.bits - 12.0 + 9.0 * u - (kind.role == Role::PostNormQkv ? 9.0 : 0.0);
        row.klNats = 0.0004 * std::exp(4.5 * (1.0 - u) * (kind.role == Role::PostNormQkv ? 1.3 : 0.8));
        row.state = ResultState::Live;
        rows.push_back(row);
    };
    const Kind patch {u"patch_embed.proj"_s, Role::PatchEmbedding, GroupAxis::Channel, 3, true};
    add(u"patch_embed.proj.input"_s, {}, patch, SiteKind::Activation);
    add(u"patch_embed.proj.weight"_s, {}, patch, SiteKind::Weight);
    for (int block = 0; block < blocks; ++block) {
        const QString prefix = u"blocks.%1"_s.arg(block);
        for (const Kind& kind : kinds) {
            const QString name = prefix + u'.' + kind.name;
            add(kind.hasWeight ? name + u".input"_s : name, prefix, kind, SiteKind::Activation);
            if (kind.hasWeight) {
                add(name + u".weight"_s, prefix, kind, SiteKind::Weight);
            }
        }
    }
    const Kind head {u"head"_s, Role::Head, GroupAxis::Channel, 768, true};
    add(u"head.input"_s, {}, head, SiteKind::Activation);
    add(u"head.weight"_s, {}, head, SiteKind::Weight);
    return rows;
}

std::vector<SiteSensitivity> sensitivities(const std::vector<SiteRow>& rows)
{
    std::vector<SiteSensitivity> results;
    for (const SiteRow& row : rows) {
        SiteSensitivity result;
        result.site = row.name.toStdString();
        result.kind = row.kind;
        result.bits = row.choice.bits;
        result.klNats = row.klNats.value_or(0.0);
        result.siteSqnrDb = row.sqnrDb.value_or(0.0);
        result.logitsSqnrDb = 42.0 - 9.0 * std::log10(1.0 + 4000.0 * result.klNats);
        result.agreementPercent = 100.0 - 60.0 * result.klNats;
        result.clippingShare = row.choice.method == BoundMethod::Percentile ? 0.45 : 0.03;
        results.push_back(result);
    }
    return results;
}

} // namespace qs::synthetic
