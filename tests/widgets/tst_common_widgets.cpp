#include "widgets/common/error_strip.h"
#include "widgets/common/message_banner.h"
#include "widgets/common/site_choice_patch.h"

#include <QApplication>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include <algorithm>
#include <cmath>

using namespace qs;
using namespace Qt::StringLiterals;

class TestCommonWidgets : public QObject
{
    Q_OBJECT
private slots:
    void errorStripShowsFiguresAndStatesApart()
    {
        ErrorStrip strip;
        QuantizationError error;
        error.clipping = 1.0;
        error.rounding = 3.0;
        error.signal = 400.0;
        error.count = 1000;
        error.clipped = 20;
        strip.setTensorError(u"blocks.0.mlp.fc2.input"_s, error);
        QVERIFY2(strip.text(ErrorLevel::Tensor).contains(u"20.0 dB"_s),
            qPrintable(strip.text(ErrorLevel::Tensor)));
        QVERIFY(strip.text(ErrorLevel::Tensor).contains(u"25.0 %"_s)); // of the squared error is clipping
        QVERIFY(strip.text(ErrorLevel::Tensor).contains(u"2.0 %"_s)); // of the values are clipped
        QVERIFY(strip.text(ErrorLevel::Tensor).contains(u"MSE 0.004"_s));
        QCOMPARE(strip.state(ErrorLevel::Tensor), ResultState::None);
        strip.setState(ErrorLevel::Tensor, ResultState::Stale);
        QCOMPARE(strip.state(ErrorLevel::Tensor), ResultState::Stale);
        QVERIFY(strip.text(ErrorLevel::Tensor).contains(u"20.0 dB"_s)); // stays while it is stale

        strip.setLayerError(u"blocks.0.mlp.fc2"_s, 17.25, 0.5, 8);
        QVERIFY(strip.text(ErrorLevel::Layer).contains(u"blocks.0.mlp.fc2"_s));
        QVERIFY(strip.text(ErrorLevel::Layer).contains(u"8 probe samples"_s));
        ErrorEstimate estimate {1, {0.042, 0.0, INFINITY}, {14.0, -INFINITY, INFINITY}, {87.5, 0.0, 100.0}};
        strip.setModelError(estimate, 1);
        QVERIFY(strip.text(ErrorLevel::Model).contains(u"87.50 %"_s));
        QVERIFY(strip.text(ErrorLevel::Model).contains(u"1 sample"_s));
        QVERIFY(!strip.text(ErrorLevel::Model).contains(u"\u00B1"_s)); // one sample says nothing of others
        estimate = {16, {0.042, 0.021, 0.063}, {14.0, 12.5, 15.5}, {87.5, 64.0, 96.5}};
        strip.setModelError(estimate, 64);
        QVERIFY2(strip.text(ErrorLevel::Model).contains(u"14.0 dB \u00B1 1.5"_s),
            qPrintable(strip.text(ErrorLevel::Model)));
        QVERIFY(strip.text(ErrorLevel::Model).contains(u"16 of 64 samples"_s));
        QVERIFY(strip.text(ErrorLevel::Model).contains(u"0.042 (0.021 \u2026 0.063)"_s));
        strip.clear();
        QVERIFY(!strip.text(ErrorLevel::Tensor).contains(u"20.0 dB"_s));
        QCOMPARE(strip.state(ErrorLevel::Tensor), ResultState::None);
    }
    void bannerIsHiddenUntilThereIsAMessage()
    {
        QWidget host;
        MessageBanner banner(&host);
        host.show();
        QVERIFY(!banner.isVisible());
        banner.showMessage(BannerKind::Failure, u"File 'x' has 3 bytes."_s, u"Retry"_s);
        QVERIFY(banner.isVisible());
        QSignalSpy action(&banner, &MessageBanner::actionTriggered);
        QSignalSpy closed(&banner, &MessageBanner::closed);
        auto* button = banner.findChild<QPushButton*>();
        QTest::mouseClick(button, Qt::LeftButton);
        QCOMPARE(action.size(), 1);
        QVERIFY(banner.isVisible());
        QTest::keyClick(&banner, Qt::Key_Escape);
        QVERIFY(!banner.isVisible());
        QCOMPARE(closed.size(), 1);
        banner.showMessage(BannerKind::Notice, u"Done."_s);
        QVERIFY(!button->isVisible());
        banner.clear();
        QCOMPARE(closed.size(), 1);
    }
    void aShownBannerFollowsTheTheme()
    {
        const QPalette before = QApplication::palette();
        QWidget host;
        MessageBanner banner(&host);
        host.show();
        banner.showMessage(BannerKind::Failure, u"No such file."_s);
        QPalette dark;
        for (const auto& [role, grey] :
            {std::pair(QPalette::Window, 45), std::pair(QPalette::Base, 30), std::pair(QPalette::Button, 55),
                std::pair(QPalette::WindowText, 225), std::pair(QPalette::Text, 225)}) {
            dark.setColor(role, QColor(grey, grey, grey));
        }
        const auto lightness = [&banner] { return banner.palette().color(QPalette::Window).lightness(); };
        const int first = lightness();
        QApplication::setPalette(dark);
        QTRY_VERIFY(lightness() < 128);
        QApplication::setPalette(before);
        QTRY_COMPARE(lightness(), first);
        QVERIFY(first > 128);
    }
    void aNarrowCellKeepsWhatMatters()
    {
        ErrorStrip strip;
        const ErrorEstimate estimate {16, {0.042, 0.021, 0.063}, {14.0, 12.5, 15.5}, {87.25, 64.0, 97.0}};
        strip.setModelError(estimate, 64);
        strip.resize(2400, 80);
        strip.show();
        const auto shows = [&strip](const QString& text) {
            return std::ranges::any_of(
                strip.findChildren<QLabel*>(), [&](const QLabel* label) { return label->text() == text; });
        };
        QTRY_VERIFY(shows(u"KL 0.042 (0.021 \u2026 0.063) \u00B7 agreement 87.25 % (64 \u2026 97)"_s));
        strip.resize(strip.minimumSizeHint().width() + 120, 80);
        QTRY_VERIFY(shows(u"KL 0.042 \u00B7 agreement 87 % (64 \u2026 97)"_s));
        QVERIFY(strip.text(ErrorLevel::Model).contains(u"0.021"_s)); // to be read in the tool tip
    }
    void aPatchChangesOnlyItsFields()
    {
        SiteChoice choice;
        choice.enabled = true;
        choice.bits = 8;
        choice.method = BoundMethod::Manual;
        choice.manualBounds = {{-1.0, 1.0}};
        SiteChoice expected = choice;
        expected.bits = 4;
        QCOMPARE(SiteChoicePatch({.bits = 4}).appliedTo(choice), expected);
        QCOMPARE(SiteChoicePatch().appliedTo(choice), choice);
        QVERIFY(SiteChoicePatch().isEmpty());
        expected = choice;
        expected.method = BoundMethod::Mse;
        QCOMPARE(
            SiteChoicePatch({.method = BoundMethod::Mse}).appliedTo(choice), expected); // bounds remembered
    }
};

QTEST_MAIN(TestCommonWidgets)
#include "tst_common_widgets.moc"
