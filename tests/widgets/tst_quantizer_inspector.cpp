#include "widgets/views/error_split_bar.h"
#include "widgets/views/quantizer_inspector.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTest>
#include <QToolButton>

#include <cmath>

using namespace qs;
using namespace Qt::StringLiterals;

namespace {

SiteRow site(const QString& name, int bits, QuantizerKind kind)
{
    SiteRow row;
    row.name = name;
    row.choice.enabled = true;
    row.choice.bits = bits;
    row.choice.kind = kind;
    return row;
}

} // namespace

class TestQuantizerInspector : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_inspector = std::make_unique<QuantizerInspector>();
        m_inspector->resize(300, 600);
        m_inspector->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_inspector.get()));
    }
    void cleanup() { m_inspector.reset(); }

    void showsAChoiceSilently()
    {
        QSignalSpy spy(m_inspector.get(), &QuantizerInspector::choiceEdited);
        m_inspector->setSites({site(u"a"_s, 6, QuantizerKind::Log2)});
        QCOMPARE(bits()->value(), 6);
        QCOMPARE(combo(u"Quantizer"_s)->currentData().toInt(), static_cast<int>(QuantizerKind::Log2));
        QVERIFY(!combo(u"Symmetry"_s)->isEnabled()); // logarithmic quantizers have none
        m_inspector->setSites({});
        m_inspector->setSites({site(u"b"_s, 4, QuantizerKind::Uniform)});
        QCOMPARE(bits()->value(), 4);
        QCOMPARE(spy.size(), 0);
    }
    void anEditCarriesTheTouchedFieldAlone()
    {
        m_inspector->setSites({site(u"a"_s, 6, QuantizerKind::Uniform)});
        QSignalSpy spy(m_inspector.get(), &QuantizerInspector::choiceEdited);
        bits()->setFocus();
        QTest::keyClick(bits(), Qt::Key_Up);
        QCOMPARE(spy.size(), 1);
        QCOMPARE(spy.last().first().value<SiteChoicePatch>(), (SiteChoicePatch {.bits = 7}));
        QTest::keyClick(combo(u"Quantizer"_s), Qt::Key_Down);
        QCOMPARE(
            spy.last().first().value<SiteChoicePatch>(), (SiteChoicePatch {.kind = QuantizerKind::Log2}));
        QTest::keyClick(combo(u"Bounds"_s), Qt::Key_Down);
        QCOMPARE(spy.last().first().value<SiteChoicePatch>(),
            (SiteChoicePatch {.method = BoundMethod::Percentile}));
        QTest::mouseClick(m_inspector->findChild<QCheckBox*>(), Qt::LeftButton, {}, {6, 8});
        QCOMPARE(spy.last().first().value<SiteChoicePatch>(), (SiteChoicePatch {.enabled = false}));
    }
    void quickButtonsSetBits()
    {
        m_inspector->setSites({site(u"a"_s, 6, QuantizerKind::Uniform)});
        QSignalSpy spy(m_inspector.get(), &QuantizerInspector::choiceEdited);
        for (QToolButton* button : m_inspector->findChildren<QToolButton*>()) {
            if (button->text() == u"8"_s) {
                QTest::mouseClick(button, Qt::LeftButton);
            }
        }
        QCOMPARE(spy.size(), 1);
        QCOMPARE(spy.last().first().value<SiteChoicePatch>(), (SiteChoicePatch {.bits = 8}));
        QCOMPARE(bits()->value(), 6); // shows the plan, not the click
    }
    void differencesAreShownAsMixedUntilTouched()
    {
        m_inspector->setSites(
            {site(u"a"_s, 4, QuantizerKind::Uniform), site(u"b"_s, 8, QuantizerKind::Log2)});
        QCOMPARE(bits()->text(), u"mixed"_s);
        QCOMPARE(combo(u"Quantizer"_s)->currentIndex(), -1);
        QCOMPARE(combo(u"Bounds"_s)->currentData().toInt(), static_cast<int>(BoundMethod::MinMax));
        QSignalSpy spy(m_inspector.get(), &QuantizerInspector::choiceEdited);
        QTest::keyClick(bits(), Qt::Key_Up);
        QCOMPARE(spy.last().first().value<SiteChoicePatch>(), (SiteChoicePatch {.bits = kMinBits}));
    }
    void mixedEnabledIsPartiallyChecked()
    {
        SiteRow off = site(u"a"_s, 4, QuantizerKind::Uniform);
        off.choice.enabled = false;
        m_inspector->setSites({off, site(u"b"_s, 4, QuantizerKind::Uniform)});
        auto* box = m_inspector->findChild<QCheckBox*>();
        QCOMPARE(box->checkState(), Qt::PartiallyChecked);
        m_inspector->setSites({off});
        QCOMPARE(box->checkState(), Qt::Unchecked);
        QVERIFY(!bits()->isEnabled());
    }
    void resultShowsScaleZeroPointAndCodes()
    {
        m_inspector->setSites({site(u"a"_s, 4, QuantizerKind::Uniform)});
        m_inspector->setQuantizer(
            QuantParams {.bits = 4, .scales = {0.125F}, .zeroPoints = {3}, .bounds = {{-0.375, 1.5}}});
        QuantizationError error;
        error.clipping = 1.0;
        error.rounding = 3.0;
        error.signal = 400.0;
        error.count = 100;
        m_inspector->setTensorError(error, ResultState::Stale);
        QStringList texts;
        for (const QLabel* label : m_inspector->findChildren<QLabel*>()) {
            texts << label->text();
        }
        QVERIFY(texts.contains(u"0.125"_s));
        QVERIFY(texts.contains(u"3"_s));
        QVERIFY(texts.contains(u"0 \u2026 15"_s));
        QVERIFY(texts.contains(u"20.0 dB, MSE 0.04"_s)); // 10 log10(400 / 4)
        QVERIFY(texts.contains(u"stale"_s));
        QCOMPARE(m_inspector->findChild<ErrorSplitBar*>()->clippingShare(), 0.25);
        m_inspector->setSites({site(u"other"_s, 4, QuantizerKind::Uniform)});
        QCOMPARE(m_inspector->findChild<ErrorSplitBar*>()->clippingShare(), 0.0);
    }
    void logarithmicQuantizersShowTheirBaseInPlaceOfAZeroPoint()
    {
        m_inspector->setSites({site(u"a"_s, 4, QuantizerKind::AdaLog)});
        const auto label = [this](const QString& name) {
            for (QLabel* each : m_inspector->findChildren<QLabel*>()) {
                if (each->accessibleName() == name) {
                    return each;
                }
            }
            return static_cast<QLabel*>(nullptr);
        };
        const auto adaLog = [](int base, double d) { return Bounds {d * std::exp2(-base / 37.0), d}; };
        QuantParams params {.kind = QuantizerKind::AdaLog,
            .bits = 4,
            .scales = {0.5F},
            .zeroPoints = {0},
            .bounds = {adaLog(18, 0.5)}};
        m_inspector->setQuantizer(params);
        QVERIFY(!label(u"Base"_s)->isHidden() && label(u"Zero point"_s)->isHidden());
        QCOMPARE(label(u"Base"_s)->text(), u"1.401 = 2^(18/37)"_s); // 2^(18/37) = 1.40103
        QCOMPARE(label(u"Bounds"_s)->text(), u"0 \u2026 0.5"_s); // the base is no clipping bound
        params.scales = {0.5F, 0.25F};
        params.zeroPoints = {0, 0};
        params.bounds = {adaLog(37, 0.5), adaLog(10, 0.25)};
        m_inspector->setQuantizer(params);
        QCOMPARE(label(u"Base"_s)->text(), u"1.206 \u2026 2.000"_s); // 2^(10/37) = 1.20603
        m_inspector->setQuantizer(
            QuantParams {.bits = 4, .scales = {0.125F}, .zeroPoints = {3}, .bounds = {{-0.375, 1.5}}});
        QVERIFY(label(u"Base"_s)->isHidden() && !label(u"Zero point"_s)->isHidden());
    }

private:
    QSpinBox* bits() const { return m_inspector->findChild<QSpinBox*>(); }
    QComboBox* combo(const QString& accessibleName) const
    {
        for (QComboBox* box : m_inspector->findChildren<QComboBox*>()) {
            if (box->accessibleName() == accessibleName) {
                return box;
            }
        }
        return nullptr;
    }

    std::unique_ptr<QuantizerInspector> m_inspector;
};

QTEST_MAIN(TestQuantizerInspector)
#include "tst_quantizer_inspector.moc"
