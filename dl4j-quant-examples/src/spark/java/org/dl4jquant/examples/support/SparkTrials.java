// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.examples.support;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.spark.api.java.JavaSparkContext;
import org.dl4jquant.arbiter.Limits;
import org.dl4jquant.arbiter.QuantSpecSearch;
import org.dl4jquant.arbiter.Trial;
import org.dl4jquant.scheme.QuantSpec;

/**
 * Tries the candidates of a search on Spark's workers, one a task, by the same code as at home.
 *
 * <pre>{@code
 * search.run(specs, SparkTrials.on(spark, trial, limits));
 * }</pre>
 */
public final class SparkTrials {

    private SparkTrials() {}

    /**
     * {@return a function that runs the candidates of a search}
     *
     * @param spark where
     * @param trial measures a candidate; a copy is sent to each worker
     * @param limits the limits of size and time
     */
    public static Function<List<QuantSpec>, List<Trial.Finished>> on(
            JavaSparkContext spark, Trial trial, Limits limits) {
        return specs ->
                new ArrayList<>(
                        spark.parallelize(specs, Math.max(1, specs.size()))
                                .map(spec -> QuantSpecSearch.attempt(trial, spec, limits))
                                .collect());
    }
}
