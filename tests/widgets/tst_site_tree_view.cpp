#include "tests/widgets/synthetic.h"
#include "widgets/models/site_tree_model.h"
#include "widgets/views/site_tree_view.h"

#include <QHeaderView>
#include <QLineEdit>
#include <QSignalSpy>
#include <QTest>
#include <QTreeView>

using namespace qs;
using namespace Qt::StringLiterals;

class TestSiteTreeView : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_view = std::make_unique<SiteTreeView>();
        m_view->resize(1100, 900);
        m_rows = synthetic::siteRows(2);
        m_view->setRows(m_rows);
        m_view->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
    }
    void cleanup() { m_view.reset(); }

    void clicksSelectAndControlAdds()
    {
        QSignalSpy spy(m_view.get(), &SiteTreeView::selectionChangedTo);
        click(m_rows[3].name);
        QCOMPARE(m_view->selectedSites(), QStringList {m_rows[3].name});
        click(m_rows[2].name, Qt::ControlModifier);
        QCOMPARE(m_view->selectedSites(), (QStringList {m_rows[2].name, m_rows[3].name})); // network order
        QCOMPARE(spy.last().first().toStringList(), m_view->selectedSites());
        QCOMPARE(spy.size(), 2);
    }
    void settersAreSilent()
    {
        QSignalSpy spy(m_view.get(), &SiteTreeView::selectionChangedTo);
        m_view->setSelectedSites({m_rows[5].name, u"unknown"_s});
        QCOMPARE(m_view->selectedSites(), QStringList {m_rows[5].name});
        m_rows[5].choice.bits = 3;
        m_view->setRows(m_rows);
        QCOMPARE(m_view->selectedSites(), QStringList {m_rows[5].name});
        QCOMPARE(spy.size(), 0);
    }
    void headersSortAndGiveTheNetworkOrderBack()
    {
        const QStringList before = topLevel();
        for (SiteRow& row : m_rows) {
            row.milliseconds = row.block == u"blocks.1"_s ? 7.0 : row.block.isEmpty() ? 10.0 : 1.0;
        }
        m_view->setRows(m_rows);
        auto* header = m_view->findChild<QTreeView*>()->header();
        const auto click = [&] {
            const int x = header->sectionViewportPosition(SiteTreeModel::Time) + 5;
            QTest::mouseClick(header->viewport(), Qt::LeftButton, {}, QPoint(x, header->height() / 2));
        };
        click();
        QCOMPARE(topLevel().back(), u"blocks.1"_s); // twelve times 7 ms
        QVERIFY(topLevel() != before);
        click();
        QCOMPARE(topLevel().front(), u"blocks.1"_s);
        click();
        QCOMPARE(topLevel(), before);
    }
    void filterMatchesNamesAndRolesByAllWords()
    {
        auto* filter = m_view->findChild<QLineEdit*>();
        QTest::keyClicks(filter, u"softmax"_s);
        QCOMPARE(visibleSites(), 2);
        filter->clear();
        QTest::keyClicks(filter, u"weight fc2"_s);
        QCOMPARE(visibleSites(), 2);
        filter->clear();
        QTest::keyClicks(filter, u"layernorm activation"_s); // words of the role and kind
        QCOMPARE(visibleSites(), 4);
        filter->clear();
        QTest::keyClicks(filter, u"blocks.1"_s); // the block itself
        QCOMPARE(visibleSites(), 12);
    }
    void anEditInTheSelectionConcernsAllOfIt()
    {
        m_view->setSelectedSites({m_rows[2].name, m_rows[4].name});
        QSignalSpy spy(m_view.get(), &SiteTreeView::editRequested);
        m_view->model()->setData(m_view->model()->indexOf(m_rows[4].name, SiteTreeModel::Bits), 6);
        QCOMPARE(spy.first().at(0).toStringList(), (QStringList {m_rows[2].name, m_rows[4].name}));
        m_view->model()->setData(m_view->model()->indexOf(m_rows[7].name, SiteTreeModel::Bits), 6);
        QCOMPARE(spy.last().at(0).toStringList(), QStringList {m_rows[7].name});
    }
    void keyboardEditsBits()
    {
        m_view->setSelectedSites({m_rows[4].name});
        QSignalSpy spy(m_view.get(), &SiteTreeView::editRequested);
        QTreeView* tree = m_view->treeView();
        tree->setCurrentIndex(tree->currentIndex().siblingAtColumn(SiteTreeModel::Bits));
        tree->setFocus();
        QTest::keyClick(tree, Qt::Key_F2);
        QWidget* editor = tree->viewport()->findChild<QWidget*>(u"qt_spinbox_lineedit"_s);
        QVERIFY(editor);
        QTest::keyClicks(editor, u"6"_s);
        QTest::keyClick(editor, Qt::Key_Return);
        QTRY_COMPARE(spy.size(), 1);
        QCOMPARE(spy.first().at(1).value<SiteChoicePatch>().bits, 6);
    }

private:
    [[nodiscard]] QStringList topLevel() const
    {
        const QAbstractItemModel* shown = m_view->findChild<QTreeView*>()->model();
        QStringList names;
        for (int row = 0; row < shown->rowCount(); ++row) {
            names << shown->index(row, SiteTreeModel::Name).data().toString();
        }
        return names;
    }
    void click(const QString& site, Qt::KeyboardModifiers modifiers = {})
    {
        QTreeView* tree = m_view->treeView();
        for (const QModelIndex& index : tree->model()->match(tree->model()->index(0, 0),
                 SiteTreeModel::SiteNameRole, site, 1, Qt::MatchExactly | Qt::MatchRecursive)) {
            tree->scrollTo(index);
            const QRect cell = tree->visualRect(index.siblingAtColumn(SiteTreeModel::Quantizer));
            QTest::mouseClick(tree->viewport(), Qt::LeftButton, modifiers, cell.center());
        }
    }
    int visibleSites() const
    {
        int count = 0;
        QAbstractItemModel* model = m_view->treeView()->model();
        for (int row = 0; row < model->rowCount(); ++row) {
            const QModelIndex top = model->index(row, 0);
            const bool isSite = !top.data(SiteTreeModel::SiteNameRole).toString().isEmpty();
            count += isSite ? 1 : model->rowCount(top);
        }
        return count;
    }

    std::unique_ptr<SiteTreeView> m_view;
    std::vector<SiteRow> m_rows;
};

QTEST_MAIN(TestSiteTreeView)
#include "tst_site_tree_view.moc"
