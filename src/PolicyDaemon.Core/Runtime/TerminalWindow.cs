namespace PolicyDaemon.Core.Runtime;

/// <summary>The window of a terminal that a standard stream is.</summary>
/// <remarks>Asked of the kernel (ioctl_tty(2), TIOCGWINSZ): .NET's console would first send the terminal its initialisation
/// (<c>ESC [?1h ESC =</c>), which nothing takes back.</remarks>
public static class TerminalWindow
{
    /// <summary>The columns of the terminal; 0 where the descriptor is none, or does not say.</summary>
    public static int Columns(int descriptor) => Of(descriptor).Columns;

    /// <summary>The lines of the terminal; 0 where the descriptor is none, or does not say.</summary>
    public static int Rows(int descriptor) => Of(descriptor).Rows;

    private static NativeMethods.WindowSize Of(int descriptor)
    {
        var size = default(NativeMethods.WindowSize);
        return NativeMethods.Window(descriptor, NativeMethods.AskWindowSize, ref size) == 0 ? size : default;
    }
}
