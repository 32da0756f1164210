#include "core/base/parallel.h"
#include "core/io/json_text.h"
#include "core/methods/error_feedback.h"
#include "core/methods/layer_reconstruction.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <cmath>
#include <cstring>

using namespace qs;

namespace {

MatrixD matrixOf(const nlohmann::json& rows)
{
    MatrixD result(static_cast<Eigen::Index>(rows.size()), static_cast<Eigen::Index>(rows[0].size()));
    for (Eigen::Index r = 0; r < result.rows(); ++r) {
        for (Eigen::Index c = 0; c < result.cols(); ++c) {
            result(r, c) = rows[static_cast<std::size_t>(r)][static_cast<std::size_t>(c)].get<double>();
        }
    }
    return result;
}

Tensor tensorOf(const MatrixD& matrix)
{
    Tensor result(DType::F32, Shape {matrix.rows(), matrix.cols()});
    for (Eigen::Index i = 0; i < matrix.size(); ++i) {
        result.mutableData<float>()[static_cast<std::size_t>(i)] = static_cast<float>(matrix.data()[i]);
    }
    return result;
}

std::vector<int> codesOf(std::span<const double> row, const RowGrid& grid)
{
    std::vector<int> codes;
    for (const double w : row) {
        codes.push_back(static_cast<int>(std::lround(w / static_cast<double>(grid.step))) + grid.zeroPoint);
    }
    return codes;
}

/// (w - q) H (w - q)^T
double quadratic(const std::vector<double>& w, const std::vector<double>& q, const MatrixD& h)
{
    double sum = 0.0;
    for (std::size_t i = 0; i < w.size(); ++i) {
        for (std::size_t j = 0; j < w.size(); ++j) {
            sum += (w[i] - q[i]) * h(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j))
                * (w[j] - q[j]);
        }
    }
    return sum;
}

} // namespace

class TestReconstruction : public QObject
{
    Q_OBJECT

    nlohmann::json m_reference;

    LayerMoments moments() const
    {
        return layerMoments(
            tensorOf(matrixOf(m_reference["inputs"])), tensorOf(matrixOf(m_reference["targets"])));
    }
    LayerWeights layer() const
    {
        return {matrixOf(m_reference["weight"]), m_reference["bias"].get<std::vector<double>>()};
    }

private slots:
    void initTestCase()
    {
        m_reference = readJsonFile(std::string(QS_TEST_DATA) + "/methods/reconstruction.json");
    }
    void goldenRows_data() // methods.md 9.6
    {
        QTest::addColumn<QList<double>>("row");
        QTest::addColumn<QList<int>>("codes");
        QTest::addColumn<double>("error");
        QTest::addColumn<double>("nearestError");
        QTest::addRow("first") << QList<double> {0.37, -0.81, 0.44} << QList<int> {7, 1, 7} << 0.010693
                               << 0.027555;
        QTest::addRow("second") << QList<double> {1.0, 0.12, -0.55} << QList<int> {7, 2, 0} << 0.019212
                                << 0.093707;
    }
    void goldenRows()
    {
        QFETCH(QList<double>, row);
        QFETCH(QList<int>, codes);
        QFETCH(double, error);
        QFETCH(double, nearestError);
        MatrixD hessian(3, 3);
        hessian << 2.0, 1.2, 0.3, 1.2, 1.5, 0.5, 0.3, 0.5, 1.0;
        const std::vector<double> w(row.begin(), row.end());
        const auto [low, high] = std::ranges::minmax(w);
        RowGrid grid;
        grid.step = static_cast<float>((high - low) / 7.0);
        grid.zeroPoint = static_cast<std::int32_t>(std::nearbyint(-low / static_cast<double>(grid.step)));
        grid.highest = 7;
        std::vector<double> rounded = w;
        const ErrorFeedback feedback(hessian, 0.01, ErrorFeedback::Order::Natural);
        const double loss = feedback.round(rounded, grid);
        QCOMPARE(codesOf(rounded, grid), std::vector<int>(codes.begin(), codes.end()));
        QVERIFY(std::abs(quadratic(w, rounded, hessian) - error) < 1e-6);
        MatrixD damped = hessian;
        damped.diagonal().array() += 0.015;
        QVERIFY(
            std::abs(2.0 * loss - quadratic(w, rounded, damped)) < 1e-9); // the loss is that of the damped H
        std::vector<double> nearest;
        for (const double value : w) {
            nearest.push_back(grid.nearest(value));
        }
        QVERIFY(std::abs(quadratic(w, nearest, hessian) - nearestError) < 1e-6);
    }
    void feedbackIsOptimalBrainSurgery() // stated without a Cholesky factor
    {
        const MatrixD hessian = matrixOf(m_reference["hessian"]);
        const MatrixD weight = matrixOf(m_reference["weight"]);
        const ErrorFeedback feedback(hessian, 0.01, ErrorFeedback::Order::Natural);
        for (std::size_t r = 0; r < m_reference["rows"].size(); ++r) {
            const auto& row = m_reference["rows"][r];
            const RowGrid grid {row["step"].get<float>(), row["zero_point"].get<std::int32_t>(), 0, 7};
            std::vector<double> values(weight.row(static_cast<Eigen::Index>(r)).begin(),
                weight.row(static_cast<Eigen::Index>(r)).end());
            (void)feedback.round(values, grid);
            QCOMPARE(codesOf(values, grid), row["codes"].get<std::vector<int>>());
        }
    }
    void correctionIsTheRidgeSolution()
    {
        // 16 bits: what is left of rounding is far below the tolerance.
        const ReconstructedLayer result = reconstructLayer(
            moments(), layer(), {.bits = 16, .feedsBack = false, .fitsBias = true, .ridge = 0.01});
        const MatrixD expected = matrixOf(m_reference["corrected_weight"]);
        QVERIFY((result.layer.weight - expected).cwiseAbs().maxCoeff() < 2e-4);
        QVERIFY(std::abs(result.errorAfter - m_reference["relative_error"].get<double>()) < 1e-4);
    }
    void ridgeIsTheBestOnRowsHeldOut()
    {
        const MatrixD inputs = matrixOf(m_reference["inputs"]);
        const MatrixD targets = matrixOf(m_reference["drifted_targets"]);
        const auto seen = m_reference["seen"].get<Eigen::Index>();
        const Eigen::Index rest = inputs.rows() - seen;
        const LayerMoments first
            = layerMoments(tensorOf(MatrixD(inputs.topRows(seen))), tensorOf(MatrixD(targets.topRows(seen))));
        const LayerMoments second = layerMoments(
            tensorOf(MatrixD(inputs.bottomRows(rest))), tensorOf(MatrixD(targets.bottomRows(rest))));
        const auto errors = m_reference["held_out_errors"].get<std::vector<double>>();
        const auto best = static_cast<std::size_t>(std::ranges::min_element(errors) - errors.begin());
        QVERIFY(best > 0 && best + 1 < errors.size()); // or the case would show nothing
        QCOMPARE(ridgeByHoldOut(first, second, layer(), {}), m_reference["ridges"][best].get<double>());
        const double share = static_cast<double>(seen) / static_cast<double>(inputs.rows());
        const LayerMoments together = pooled(first, second, share);
        const LayerMoments all = layerMoments(tensorOf(inputs), tensorOf(targets));
        QVERIFY((together.gram - all.gram).cwiseAbs().maxCoeff() < 1e-5);
        QVERIFY((together.target - all.target).cwiseAbs().maxCoeff() < 1e-5);
        QVERIFY(std::abs(together.signal - all.signal) < 1e-9 * all.signal);
    }
    void theBiasTakesUpTheMeanError()
    {
        const ReconstructedLayer result = reconstructLayer(moments(), layer(), {.bits = 3});
        const MatrixD inputs = matrixOf(m_reference["inputs"]);
        const MatrixD targets = matrixOf(m_reference["targets"]);
        for (Eigen::Index row = 0; row < targets.cols(); ++row) {
            const Eigen::VectorXd output = inputs * result.layer.weight.row(row).transpose();
            const double mean
                = (targets.col(row) - output).mean() - result.layer.bias[static_cast<std::size_t>(row)];
            QVERIFY(std::abs(mean) < 1e-5);
        }
    }
    void everyPartLowersTheError()
    {
        const LayerMoments m = moments();
        const auto error = [&](bool corrects, bool feedsBack, bool fitsBias) {
            return reconstructLayer(
                m, layer(), {.bits = 3, .corrects = corrects, .feedsBack = feedsBack, .fitsBias = fitsBias})
                .errorAfter;
        };
        QVERIFY(error(false, true, false) < error(false, false, false));
        QVERIFY(error(true, true, false) < error(false, true, false));
        QVERIFY(error(true, true, true) < error(true, true, false));
    }
    void weightsLieOnTheirGrid()
    {
        const ReconstructedLayer result = reconstructLayer(moments(), layer(), {.bits = 4});
        for (Eigen::Index row = 0; row < result.layer.weight.rows(); ++row) {
            const auto r = static_cast<std::size_t>(row);
            const RowGrid grid {result.grid.scales[r], result.grid.zeroPoints[r], 0, 15};
            for (Eigen::Index c = 0; c < result.layer.weight.cols(); ++c) {
                const double w = result.layer.weight(row, c);
                QCOMPARE(grid.nearest(w), w);
            }
        }
    }
    void bitsDoNotDependOnTheThreads()
    {
        std::vector<double> first;
        for (const int threads : {1, 3}) {
            setThreadCount(threads);
            const LayerMoments m = moments();
            const ReconstructedLayer result = reconstructLayer(m, layer(), {.bits = 4});
            std::vector<double> all(m.gram.data(), m.gram.data() + m.gram.size());
            all.insert(all.end(), result.layer.weight.data(),
                result.layer.weight.data() + result.layer.weight.size());
            if (first.empty()) {
                first = all;
            }
            QCOMPARE(std::memcmp(first.data(), all.data(), all.size() * sizeof(double)), 0);
        }
    }
};

QTEST_APPLESS_MAIN(TestReconstruction)
#include "tst_reconstruction.moc"
