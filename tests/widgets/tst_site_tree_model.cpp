#include "tests/widgets/synthetic.h"
#include "widgets/models/site_tree_model.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

using namespace qs;
using namespace Qt::StringLiterals;

class TestSiteTreeModel : public QObject
{
    Q_OBJECT
private slots:
    void init()
    {
        m_model = std::make_unique<SiteTreeModel>();
        m_tester = std::make_unique<QAbstractItemModelTester>(
            m_model.get(), QAbstractItemModelTester::FailureReportingMode::Fatal);
        m_rows = synthetic::siteRows(3);
        m_model->setRows(m_rows);
    }
    void cleanup()
    {
        m_tester.reset();
        m_model.reset();
    }

    void blocksHoldTheirSites()
    {
        QCOMPARE(m_model->rowCount(), 2 + 3 + 2); // patch embedding, blocks, head
        const QModelIndex block = m_model->index(2, SiteTreeModel::Name);
        QCOMPARE(block.data().toString(), u"blocks.0"_s);
        QCOMPARE(m_model->rowCount(block), 12);
        QCOMPARE(m_model->index(0, SiteTreeModel::Name, block).data().toString(), u"attn.qkv.input"_s);
        QCOMPARE(m_model->sitesAt(block).size(), 12);
        for (const SiteRow& row : m_rows) {
            const QModelIndex index = m_model->indexOf(row.name);
            QCOMPARE(index.data(SiteTreeModel::SiteNameRole).toString(), row.name);
            QCOMPARE(m_model->sitesAt(index), QStringList {row.name});
        }
        QVERIFY(!m_model->indexOf(u"nothing"_s).isValid());
    }
    void oneChangedSiteChangesOneRow()
    {
        QSignalSpy changed(m_model.get(), &QAbstractItemModel::dataChanged);
        QSignalSpy reset(m_model.get(), &QAbstractItemModel::modelReset);
        m_rows[7].choice.bits = 3;
        m_model->setRows(m_rows);
        QCOMPARE(reset.size(), 0);
        QCOMPARE(changed.size(), 2); // its block and itself
        const QModelIndex first = changed.last().at(0).toModelIndex();
        const QModelIndex last = changed.last().at(1).toModelIndex();
        QCOMPARE(first.data(SiteTreeModel::SiteNameRole).toString(), m_rows[7].name);
        QCOMPARE(first.row(), last.row());
        QCOMPARE(m_model->indexOf(m_rows[7].name, SiteTreeModel::Bits).data().toString(), u"3"_s);
        m_model->setRows(m_rows);
        QCOMPARE(changed.size(), 2); // nothing new, nothing said
    }
    void someRowsAreUpdatedAlone()
    {
        QSignalSpy changed(m_model.get(), &QAbstractItemModel::dataChanged);
        QSignalSpy reset(m_model.get(), &QAbstractItemModel::modelReset);
        SiteRow edited = m_rows[7];
        edited.choice.bits = 3;
        SiteRow unknown = m_rows[8];
        unknown.name = u"of another model"_s;
        m_model->updateRows({edited, m_rows[9], unknown});
        QCOMPARE(reset.size(), 0);
        QCOMPARE(changed.size(), 2); // the block and the one row that differs
        QCOMPARE(m_model->indexOf(edited.name, SiteTreeModel::Bits).data().toString(), u"3"_s);
        for (const SiteRow& row : m_rows) { // all others as they were
            const QString bits = QString::number(row.name == edited.name ? 3 : row.choice.bits);
            QCOMPARE(m_model->indexOf(row.name, SiteTreeModel::Bits).data().toString(), bits);
        }
        m_model->updateRows({});
        m_model->updateRows({edited});
        QCOMPARE(changed.size(), 2);
    }
    void otherSitesReset()
    {
        QSignalSpy reset(m_model.get(), &QAbstractItemModel::modelReset);
        m_model->setRows(synthetic::siteRows(1));
        QCOMPARE(reset.size(), 1);
        m_model->setRows({});
        QCOMPARE(m_model->rowCount(), 0);
    }
    void setDataAsksAndNeverWrites()
    {
        QSignalSpy spy(m_model.get(), &SiteTreeModel::editRequested);
        const QModelIndex bits = m_model->indexOf(m_rows[4].name, SiteTreeModel::Bits);
        const QString before = bits.data().toString();
        QVERIFY(m_model->setData(bits, 5));
        QCOMPARE(bits.data().toString(), before);
        QCOMPARE(spy.size(), 1);
        QCOMPARE(spy.first().at(0).toStringList(), QStringList {m_rows[4].name});
        QCOMPARE(spy.first().at(1).value<SiteChoicePatch>().bits, 5);
        QVERIFY(!m_model->setData(bits, 1));
        QVERIFY(!m_model->setData(bits, 17));
        QVERIFY(!m_model->setData(bits, u"many"_s));
        QVERIFY(!m_model->setData(bits.siblingAtColumn(SiteTreeModel::Method), 4));
        QCOMPARE(spy.size(), 1);
    }
    void uncheckingABlockConcernsAllItsSites()
    {
        QSignalSpy spy(m_model.get(), &SiteTreeModel::editRequested);
        const QModelIndex block = m_model->index(2, SiteTreeModel::Name);
        QVERIFY(m_model->setData(block, Qt::Unchecked, Qt::CheckStateRole));
        QCOMPARE(spy.first().at(0).toStringList().size(), 12);
        QCOMPARE(spy.first().at(1).value<SiteChoicePatch>(), (SiteChoicePatch {.enabled = false}));
    }
    void blocksSumUp()
    {
        for (std::size_t i = 2; i < 14; ++i) {
            m_rows[i].choice.bits = i < 8 ? 4 : 10;
            m_rows[i].sqnrDb = 20.0 + static_cast<double>(i);
            m_rows[i].choice.enabled = i != 2;
        }
        m_model->setRows(m_rows);
        const QModelIndex block = m_model->index(2, SiteTreeModel::Name);
        QCOMPARE(block.siblingAtColumn(SiteTreeModel::Bits).data().toString(), u"4/10/FP"_s);
        QCOMPARE(block.siblingAtColumn(SiteTreeModel::Sqnr).data().toString(), u"23.0 dB"_s);
        QCOMPARE(block.data(Qt::CheckStateRole).toInt(), static_cast<int>(Qt::PartiallyChecked));
    }
    void barsAreFractions()
    {
        double largest = 0.0;
        for (const SiteRow& row : m_rows) {
            const QVariant fraction
                = m_model->indexOf(row.name, SiteTreeModel::Sensitivity).data(SiteTreeModel::BarFractionRole);
            QVERIFY(fraction.isValid());
            QVERIFY(fraction.toDouble() >= 0.0 && fraction.toDouble() <= 1.0);
            largest = std::max(largest, fraction.toDouble());
        }
        QCOMPARE(largest, 1.0);
        m_rows[0].klNats.reset();
        m_model->setRows(m_rows);
        QVERIFY(!m_model->indexOf(m_rows[0].name, SiteTreeModel::Sensitivity)
                     .data(SiteTreeModel::BarFractionRole)
                     .isValid());
    }
    void timesAreShownAndSummed()
    {
        const QModelIndex block = m_model->index(2, SiteTreeModel::Time);
        QVERIFY(!block.data().isValid());
        QCOMPARE(m_model->indexOf(m_rows[2].name, SiteTreeModel::Time).data().toString(), QString());
        QSignalSpy reset(m_model.get(), &QAbstractItemModel::modelReset);
        for (std::size_t i = 2; i < 14; ++i) {
            m_rows[i].milliseconds = i == 5 ? 12.0 : 0.25;
        }
        m_rows[14].milliseconds = 3.6875; // in the next block
        m_rows[3].choice.enabled = false; // runs all the same
        m_model->setRows(m_rows);
        QCOMPARE(reset.size(), 0);
        const auto at
            = [&](std::size_t row) { return m_model->indexOf(m_rows[row].name, SiteTreeModel::Time); };
        QCOMPARE(at(5).data().toString(), u"12.0 ms"_s);
        QCOMPARE(at(3).data().toString(), u"0.250 ms"_s);
        QCOMPARE(at(14).data().toString(), u"3.69 ms"_s);
        QCOMPARE(at(5).data(SiteTreeModel::SortRole).toDouble(), 12.0);
        QCOMPARE(at(5).data(SiteTreeModel::BarFractionRole).toDouble(), 1.0);
        QCOMPARE(at(3).data(SiteTreeModel::BarFractionRole).toDouble(), 0.25 / 12.0);
        QVERIFY(!at(0).data(SiteTreeModel::BarFractionRole).isValid());
        QCOMPARE(block.data().toString(), u"14.8 ms"_s); // 12 + 11 / 4 = 14.75
        QCOMPARE(block.data(SiteTreeModel::SortRole).toDouble(), 14.75);
        QCOMPARE(block.data(SiteTreeModel::BarFractionRole).toDouble(), 1.0);
        QCOMPARE(m_model->index(3, SiteTreeModel::Time).data(SiteTreeModel::BarFractionRole).toDouble(),
            3.6875 / 14.75);
    }
    void floatingPointSitesSayFp()
    {
        m_rows[3].choice.enabled = false;
        m_model->setRows(m_rows);
        QCOMPARE(m_model->indexOf(m_rows[3].name, SiteTreeModel::Bits).data().toString(), u"FP"_s);
        QCOMPARE(m_model->indexOf(m_rows[3].name, SiteTreeModel::Quantizer).data().toString(), QString());
    }

private:
    std::unique_ptr<SiteTreeModel> m_model;
    std::unique_ptr<QAbstractItemModelTester> m_tester;
    std::vector<SiteRow> m_rows;
};

QTEST_MAIN(TestSiteTreeModel)
#include "tst_site_tree_model.moc"
