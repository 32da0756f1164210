#include "widgets/models/bits_matrix_model.h"
#include "widgets/views/bits_matrix_view.h"

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QClipboard>
#include <QSignalSpy>
#include <QTest>

using namespace qs;
using namespace Qt::StringLiterals;

class TestBitsMatrixView : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_view = std::make_unique<BitsMatrixView>();
        m_view->resize(500, 300);
        m_view->setRows(rows(8));
        m_view->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
    }
    void cleanup() { m_view.reset(); }

    void aRowIsALayer()
    {
        QAbstractItemModelTester tester(
            m_view->matrix(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        QCOMPARE(m_view->matrix()->rowCount(), 2);
        QCOMPARE(text(0, 0), u"8"_s);
        QCOMPARE(text(0, 1), u"8"_s);
        QCOMPARE(text(1, 0), QString()); // a product of activations has no weight
        QCOMPARE(text(1, 1), u"8"_s);
        QCOMPARE(text(1, 2), u"FP"_s);
        QCOMPARE(m_view->matrix()->headerData(1, Qt::Vertical, Qt::DisplayRole).toString(), u"b.0.scores"_s);
    }
    void otherChoicesKeepTheSelection()
    {
        QSignalSpy reset(m_view->matrix(), &QAbstractItemModel::modelReset);
        m_view->selectAll();
        const auto before = m_view->selectionModel()->selectedIndexes();
        m_view->setRows(rows(4));
        QCOMPARE(reset.size(), 0);
        QCOMPARE(m_view->selectionModel()->selectedIndexes(), before);
        QCOMPARE(text(0, 0), u"4"_s);
    }
    void typingFillsTheSelection()
    {
        QSignalSpy spy(m_view.get(), &BitsMatrixView::editRequested);
        m_view->selectAll();
        m_view->setFocus();
        QTest::keyClick(m_view->viewport(), Qt::Key_4);
        QVERIFY(qApp->focusWidget() != m_view.get());
        QTest::keyClick(qApp->focusWidget(), Qt::Key_Return);
        QTRY_COMPARE(spy.size(), 1);
        QCOMPARE(spy.at(0).at(0).toStringList(),
            (QStringList {u"b.0.fc.weight"_s, u"b.0.fc.input"_s, u"b.0.query"_s, u"b.0.key"_s}));
        QCOMPARE(spy.at(0).at(1).value<SiteChoicePatch>(), (SiteChoicePatch {.enabled = true, .bits = 4}));
    }
    void deleteLeavesInFloat()
    {
        QSignalSpy spy(m_view.get(), &BitsMatrixView::editRequested);
        m_view->setCurrentIndex(m_view->matrix()->index(0, 1));
        QTest::keyClick(m_view.get(), Qt::Key_Delete);
        QCOMPARE(spy.at(0).at(0).toStringList(), QStringList {u"b.0.fc.input"_s});
        QCOMPARE(spy.at(0).at(1).value<SiteChoicePatch>(), (SiteChoicePatch {.enabled = false}));
    }
    void cellsAreCopiedAndPastedAsText()
    {
        m_view->selectAll();
        QTest::keyClick(m_view.get(), Qt::Key_C, Qt::ControlModifier);
        QCOMPARE(QApplication::clipboard()->text(), u"8\t8\t\n\t8\tFP"_s);

        QSignalSpy spy(m_view.get(), &BitsMatrixView::editRequested);
        QApplication::clipboard()->setText(u"6\t4\n\t6\tfp"_s);
        m_view->setCurrentIndex(m_view->matrix()->index(0, 0));
        QTest::keyClick(m_view.get(), Qt::Key_V, Qt::ControlModifier);
        QCOMPARE(spy.size(), 3); // one for 4, one for 6, one for FP
        QCOMPARE(spy.at(0).at(0).toStringList(), QStringList {u"b.0.fc.input"_s});
        QCOMPARE(spy.at(1).at(0).toStringList(), (QStringList {u"b.0.fc.weight"_s, u"b.0.query"_s}));
        QCOMPARE(spy.at(2).at(1).value<SiteChoicePatch>(), (SiteChoicePatch {.enabled = false}));
    }
    void whatIsNoBitWidthIsPassedOver_data()
    {
        QTest::addColumn<QString>("text");
        for (const char* word : {"", "x", "1", "17", "4.5", "-4"}) {
            QTest::newRow(word) << QString::fromLatin1(word);
        }
    }
    void whatIsNoBitWidthIsPassedOver()
    {
        QFETCH(QString, text);
        QVERIFY(!BitsMatrixModel::patchFor(text));
        QSignalSpy spy(m_view.get(), &BitsMatrixView::editRequested);
        QApplication::clipboard()->setText(text);
        m_view->setCurrentIndex(m_view->matrix()->index(0, 0));
        m_view->paste();
        QCOMPARE(spy.size(), 0);
    }
    void theCurrentCellIsTheUsersAlone()
    {
        QSignalSpy spy(m_view.get(), &BitsMatrixView::siteChosen);
        m_view->setCurrentSite(u"b.0.key"_s);
        QCOMPARE(spy.size(), 0);
        QTest::keyClick(m_view.get(), Qt::Key_Left);
        QCOMPARE(spy.size(), 1);
        QCOMPARE(spy.at(0).at(0).toString(), u"b.0.query"_s);
    }

private:
    static std::vector<SiteRow> rows(int bits)
    {
        const auto row = [bits](const QString& name, const QString& layer, SiteKind kind, bool enabled) {
            SiteRow made;
            made.name = name;
            made.layer = layer;
            made.kind = kind;
            made.choice.enabled = enabled;
            made.choice.bits = bits;
            return made;
        };
        return {row(u"b.0.fc.input"_s, u"b.0.fc"_s, SiteKind::Activation, true),
            row(u"b.0.fc.weight"_s, u"b.0.fc"_s, SiteKind::Weight, true),
            row(u"b.0.query"_s, u"b.0.scores"_s, SiteKind::Activation, true),
            row(u"b.0.key"_s, u"b.0.scores"_s, SiteKind::Activation, false)};
    }
    QString text(int row, int column) const { return m_view->matrix()->index(row, column).data().toString(); }

    std::unique_ptr<BitsMatrixView> m_view;
};

QTEST_MAIN(TestBitsMatrixView)
#include "tst_bits_matrix_view.moc"
