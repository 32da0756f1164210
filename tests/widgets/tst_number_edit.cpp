#include "widgets/common/number_edit.h"
#include "widgets/common/number_format.h"

#include <QLineEdit>
#include <QSignalSpy>
#include <QTest>

using namespace qs;
using namespace Qt::StringLiterals;

class TestNumberEdit : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_edit = std::make_unique<NumberEdit>();
        m_edit->show();
        m_edit->setFocus();
        QVERIFY(QTest::qWaitForWindowExposed(m_edit.get()));
    }
    void cleanup() { m_edit.reset(); }

    void typingAndEnterEmitOnce()
    {
        QSignalSpy spy(m_edit.get(), &NumberEdit::valueEdited);
        type(u"-1.25e-3"_s);
        QCOMPARE(spy.size(), 0);
        QTest::keyClick(m_edit.get(), Qt::Key_Return);
        QCOMPARE(spy.size(), 1);
        QCOMPARE(m_edit->value(), -1.25e-3);
        QTest::keyClick(m_edit.get(), Qt::Key_Return);
        QCOMPARE(spy.size(), 1);
    }
    void setterIsSilentAndKeepsMoreDigitsThanItShows()
    {
        QSignalSpy spy(m_edit.get(), &NumberEdit::valueEdited);
        m_edit->setValue(1.23456789012345);
        QTest::keyClick(m_edit.get(), Qt::Key_Return);
        QCOMPARE(m_edit->value(), 1.23456789012345);
        QCOMPARE(spy.size(), 0);
    }
    void valuesOutsideTheRangeAreRefused()
    {
        m_edit->setRange(-1.0, 1.0);
        m_edit->setValue(0.5);
        QSignalSpy spy(m_edit.get(), &NumberEdit::valueEdited);
        type(u"3"_s);
        QTest::keyClick(m_edit.get(), Qt::Key_Return);
        QCOMPARE(m_edit->value(), 0.5);
        QCOMPARE(spy.size(), 0);
    }
    void lettersCannotBeTyped()
    {
        m_edit->setValue(2.0);
        type(u"1x5"_s);
        QTest::keyClick(m_edit.get(), Qt::Key_Return);
        QCOMPARE(m_edit->value(), 15.0);
    }
    void stepsAddTheStepAndStopAtTheEnds()
    {
        m_edit->setRange(0.0, 1.0);
        m_edit->setStep(0.25);
        m_edit->setValue(0.5);
        QTest::keyClick(m_edit.get(), Qt::Key_Up);
        QCOMPARE(m_edit->value(), 0.75);
        m_edit->stepBy(5);
        QCOMPARE(m_edit->value(), 1.0);
        QTest::keyClick(m_edit.get(), Qt::Key_Down);
        QCOMPARE(m_edit->value(), 0.75);
    }
    void readsTheUsersLocale()
    {
        m_edit->setLocale(QLocale(QLocale::German));
        type(u"2,5"_s);
        QTest::keyClick(m_edit.get(), Qt::Key_Return);
        QCOMPARE(m_edit->value(), 2.5);
        QCOMPARE(m_edit->findChild<QLineEdit*>()->text(), u"2,5"_s);
    }
    void lateResultsDoNotDisturbTyping()
    {
        m_edit->setValue(1.0);
        type(u"7"_s);
        m_edit->setValue(2.0);
        QCOMPARE(m_edit->findChild<QLineEdit*>()->text(), u"7"_s);
        QTest::keyClick(m_edit.get(), Qt::Key_Escape);
        QCOMPARE(m_edit->findChild<QLineEdit*>()->text(), u"2"_s);
    }
    void leavingTheFieldCommits()
    {
        QSignalSpy spy(m_edit.get(), &NumberEdit::valueEdited);
        type(u"4"_s);
        m_edit->clearFocus();
        QCOMPARE(spy.size(), 1);
        QCOMPARE(m_edit->value(), 4.0);
    }
    void numbersForPeople()
    {
        QCOMPARE(formatNumber(0.0), u"0"_s);
        QCOMPARE(formatNumber(-1.5), u"\u22121.5"_s);
        QCOMPARE(formatNumber(0.0000314, 3), u"3.14e\u22125"_s);
        QCOMPARE(formatNumber(9.9999999e-5, 3), u"1e\u22124"_s);
        QCOMPARE(formatNumber(12345.678), u"12,346"_s);
        QCOMPARE(formatNumber(std::numeric_limits<double>::infinity()), u"\u221E"_s);
        QCOMPARE(formatShare(0.031), u"3.1 %"_s);
        QCOMPARE(formatShare(0.00001), u"< 0.01 %"_s);
        QCOMPARE(formatShare(1.0), u"100 %"_s);
        QCOMPARE(formatDecibel(31.44), u"31.4 dB"_s);
        QCOMPARE(formatDuration(3.21), u"3.2 s"_s);
        QCOMPARE(formatDuration(185.0), u"3:05"_s);
        QCOMPARE(formatDuration(3727.0), u"1:02:07"_s);
    }

private:
    void type(const QString& text)
    {
        m_edit->selectAll();
        QTest::keyClicks(m_edit.get(), text);
    }

    std::unique_ptr<NumberEdit> m_edit;
};

int main(int argc, char** argv)
{
    QLocale::setDefault(QLocale(QLocale::English, QLocale::UnitedStates));
    QApplication application(argc, argv);
    TestNumberEdit test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_number_edit.moc"
