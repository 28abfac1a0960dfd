// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.arbiter;

import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.deeplearning4j.arbiter.optimize.api.data.DataProvider;
import org.deeplearning4j.arbiter.optimize.api.data.DataSource;
import org.deeplearning4j.arbiter.optimize.api.score.ScoreFunction;

/**
 * Says to Arbiter that the highest score is the best.
 *
 * <p>Arbiter wants an object of a whole interface for this one answer. It calls the two methods
 * that score a model in task creators of its own only; a {@link SpecTasks} has its trial score a
 * candidate, so a call of them is a mistake in this package.
 */
@SuppressWarnings("deprecation") // Arbiter's interface still has its first method
final class Maximum implements ScoreFunction {

    private static final long serialVersionUID = 1;

    @Override
    public boolean minimize() {
        return false;
    }

    @Override
    @Deprecated
    public double score(Object model, DataProvider data, Map<String, Object> parameters) {
        throw new UnsupportedOperationException("trials score their candidates themselves");
    }

    @Override
    public double score(Object model, Class<? extends DataSource> data, Properties properties) {
        throw new UnsupportedOperationException("trials score their candidates themselves");
    }

    @Override
    public List<Class<?>> getSupportedModelTypes() {
        return List.of();
    }

    @Override
    public List<Class<?>> getSupportedDataTypes() {
        return List.of();
    }
}
