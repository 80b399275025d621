namespace PolicyDaemon.Benchmarks;

internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        try
        {
            return await Command.RunAsync(args);
        }
        catch (BenchmarkException failure)
        {
            await Console.Error.WriteLineAsync($"benchmarks: {failure.Message}");
            return 1;
        }
    }
}
