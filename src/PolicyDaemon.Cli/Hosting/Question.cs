using System.Text;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Asks the person at the terminal a question.</summary>
internal static class Question
{
    private const int MaxLine = 1000;

    /// <returns>The answer in lower case; null at the end of the input.</returns>
    internal static async Task<string?> AskAsync(CliHost host, Stream input, string question, CancellationToken cancellation) =>
        (await AskTextAsync(host, input, question, cancellation))?.ToLowerInvariant();

    /// <returns>The answer as it was typed; null at the end of the input.</returns>
    internal static async Task<string?> AskTextAsync(CliHost host, Stream input, string question, CancellationToken cancellation)
    {
        await host.Out.FlushAsync(cancellation);
        await host.Error.WriteAsync(question.AsMemory(), cancellation);
        await host.Error.FlushAsync(cancellation);
        // A terminal's read cannot be cancelled; Ctrl-C leaves it behind.
        try
        {
            var answer = await Task.Run(() => ReadLine(input), CancellationToken.None).WaitAsync(cancellation);
            if (answer is null)
                await host.Error.WriteLineAsync();
            return answer;
        }
        catch (OperationCanceledException)
        {
            // What is said next begins a line of its own.
            await host.Error.WriteLineAsync();
            throw;
        }
    }

    private static string? ReadLine(Stream input)
    {
        var line = new List<byte>();
        for (int octet; line.Count < MaxLine && (octet = input.ReadByte()) >= 0;)
        {
            if (octet == '\n')
                return Encoding.UTF8.GetString([.. line]).Trim();
            // Ctrl-@ is a slip of the hand, and no store keeps a text with it.
            if (octet != 0)
                line.Add((byte)octet);
        }

        return null;
    }
}
