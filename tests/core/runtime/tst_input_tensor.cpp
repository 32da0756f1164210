#include "core/base/error.h"
#include "core/runtime/input_tensor.h"

#include <QTest>

using namespace qs;

namespace {

Value inputOf(DType type)
{
    Value value;
    value.name = "ids";
    value.dtype = type;
    return value;
}

template<typename T>
std::vector<T> valuesOf(const Tensor& tensor)
{
    const auto data = tensor.data<T>();
    return {data.begin(), data.end()};
}

} // namespace

/// What a file holds and what a graph takes need not be of one type.
class TestInputTensor : public QObject
{
    Q_OBJECT

private slots:
    void integersFitWhereTheirValuesDo()
    {
        const Tensor given = Tensor::of<std::int32_t>(Shape {2}, {-1, 300});
        QCOMPARE(valuesOf<std::int64_t>(inputTensor(inputOf(DType::I64), given)),
            (std::vector<std::int64_t> {-1, 300}));
        QVERIFY_THROWS_EXCEPTION(Error, inputTensor(inputOf(DType::U64), given));
        QVERIFY_THROWS_EXCEPTION(Error, inputTensor(inputOf(DType::I8), given));
    }
    void floatsTakeEverything()
    {
        const Tensor given = Tensor::of<std::uint8_t>(Shape {2}, {0, 255});
        QCOMPARE(
            valuesOf<float>(inputTensor(inputOf(DType::F16), given)), (std::vector<float> {0.0F, 255.0F}));
    }
    void integersDoNotTakeFloats()
    {
        QVERIFY_THROWS_EXCEPTION(
            Error, inputTensor(inputOf(DType::I64), Tensor::of<float>(Shape {1}, {1.0F})));
    }
    void anythingButZeroIsTrue()
    {
        const Tensor flags
            = inputTensor(inputOf(DType::Bool), Tensor::of<std::int64_t>(Shape {3}, {0, 7, -1}));
        QCOMPARE(flags.dtype(), DType::Bool);
        QCOMPARE(valuesOf<float>(flags.toF32()), (std::vector<float> {0.0F, 1.0F, 1.0F}));
    }
};

QTEST_GUILESS_MAIN(TestInputTensor)
#include "tst_input_tensor.moc"
