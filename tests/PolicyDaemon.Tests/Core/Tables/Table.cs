using System.Text;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Tables;
using PolicyDaemon.Tests.Core.Policies;

namespace PolicyDaemon.Tests.Core.Tables;

/// <summary>A table that was read whole, for tests.</summary>
internal sealed record Table(IReadOnlyList<TableItem> Items)
{
    internal IReadOnlyList<Destination> Rows => [.. Items.Where(item => item.Kind == TableItemKind.Row).Select(item => item.Destination!)];

    /// <summary><c>line: message</c> of every problem.</summary>
    internal IReadOnlyList<string> Problems => [.. Messages(TableItemKind.Problem), .. Messages(TableItemKind.NoText)];

    internal IReadOnlyList<string> Warnings => Messages(TableItemKind.Warning);

    internal static TableOptions Options(PostfixSettings postfix) => new(postfix, DateTimeOffset.UnixEpoch);

    internal static Table Read(string source, TableOptions? options = null) => Read(Encoding.UTF8.GetBytes(source), options);

    internal static Table Read(byte[] source, TableOptions? options = null) =>
        new([.. PolicyTableReader.Read(new MemoryStream(source), options ?? Options(Entries.Sha256))]);

    private List<string> Messages(TableItemKind kind) =>
        [.. Items.Where(item => item.Kind == kind).Select(item => $"{item.Line}: {item.Problem}")];
}
