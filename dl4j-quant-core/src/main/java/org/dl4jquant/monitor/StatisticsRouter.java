// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.monitor;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.deeplearning4j.core.storage.Persistable;
import org.deeplearning4j.core.storage.StatsStorageRouter;
import org.deeplearning4j.core.storage.StorageMetaData;
import org.deeplearning4j.ui.model.stats.api.StatsReport;
import org.deeplearning4j.ui.model.stats.api.StatsType;
import org.deeplearning4j.ui.model.stats.api.SummaryType;

/**
 * Shows quantizers in DL4J's training UI: on its model page, among the mean magnitudes of each
 * layer, as {@code W saturation}, {@code W SQNR dB}, {@code W gradient ratio} and so on.
 *
 * <pre>{@code
 * StatisticsRouter router = new StatisticsRouter(statsStorage);
 * quantized.setListeners(QuantizerListener.every(10, router), new StatsListener(router, 10));
 * UIServer.getInstance().attach(statsStorage);
 * }</pre>
 *
 * <p>Needs {@code org.deeplearning4j:deeplearning4j-ui-model}, which whoever has the UI has.
 */
public final class StatisticsRouter implements StatsStorageRouter, StatisticsSink {

    /* The UI draws only the series that it knows, and the names in the maps of mean magnitudes are
     * its only free ones. It takes for granted that a name stands in every report, so the newest
     * figures are repeated until there are newer ones; and it divides updates by parameters, so they
     * stand in both maps. */

    private final StatsStorageRouter storage;
    private Map<String, Double> newest = Map.of();

    /**
     * Stands before a storage.
     *
     * @param storage takes everything, with the quantizers' figures added to each report
     */
    public StatisticsRouter(StatsStorageRouter storage) {
        this.storage = Objects.requireNonNull(storage, "storage");
    }

    @Override
    public synchronized void report(List<QuantizerStatistics> quantizers) {
        Map<String, Double> figures = new LinkedHashMap<>();
        for (QuantizerStatistics one : quantizers) {
            // What stands before the underscore tells the UI the layer.
            String name = one.parameters() + "_" + one.tensor() + " ";
            figures.put(name + "saturation", one.saturation());
            figures.put(name + "SQNR dB", one.sqnr());
            if (!Double.isNaN(one.smallestScale())) {
                figures.put(name + "smallest scale", one.smallestScale());
                figures.put(name + "largest scale", one.largestScale());
                figures.put(name + "gradient ratio", one.gradientRatio());
            }
        }
        newest = figures;
    }

    private synchronized void addFigures(Persistable update) {
        if (update instanceof StatsReport report) {
            addFigures(report, StatsType.Parameters);
            addFigures(report, StatsType.Updates);
        }
    }

    private void addFigures(StatsReport report, StatsType type) {
        if (report.hasSummaryStats(type, SummaryType.MeanMagnitudes)) {
            Map<String, Double> all = new LinkedHashMap<>(report.getMeanMagnitudes(type));
            all.putAll(newest);
            report.reportMeanMagnitudes(type, all);
        }
    }

    @Override
    public void putUpdate(Persistable update) {
        addFigures(update);
        storage.putUpdate(update);
    }

    @Override
    public void putUpdate(Collection<? extends Persistable> updates) {
        updates.forEach(this::addFigures);
        storage.putUpdate(updates);
    }

    @Override
    public void putStorageMetaData(StorageMetaData metaData) {
        storage.putStorageMetaData(metaData);
    }

    @Override
    public void putStorageMetaData(Collection<? extends StorageMetaData> metaData) {
        storage.putStorageMetaData(metaData);
    }

    @Override
    public void putStaticInfo(Persistable info) {
        storage.putStaticInfo(info);
    }

    @Override
    public void putStaticInfo(Collection<? extends Persistable> info) {
        storage.putStaticInfo(info);
    }
}
