// SPDX-License-Identifier: Apache-2.0
package org.dl4jquant.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.dl4jquant.docs.JavaSnippet;
import org.dl4jquant.docs.Markdown;
import org.dl4jquant.engine.Batch;
import org.junit.jupiter.api.Test;

/** The snippets of docs/gpu.md compile; running them takes a GPU. */
public final class GpuDocumentationTest {

    /** The variables that the page's text names. */
    public abstract static class Context extends JavaSnippet.Context {
        protected Map<String, Batch.Floats> inputs = Map.of();
    }

    @Test
    void everySnippetCompiles() throws IOException {
        Markdown page = Markdown.read(Path.of("..", "docs", "gpu.md"));
        List<Markdown.Block> blocks = page.blocks("java");
        assertTrue(!blocks.isEmpty(), "docs/gpu.md has no Java snippet");
        for (Markdown.Block block : blocks) {
            JavaSnippet.compile("gpu.md:" + block.line(), block.text(), Context.class);
        }
    }
}
